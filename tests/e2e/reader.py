"""A person with a screen reader: AT-SPI alone, by the system's own Python (gi). `python3 reader.py ACCOUNT CODES WORDS`

It knows no coordinate and no widget: only roles and names, as Orca has them. Prints what it heard and did, JSON lines.
"""

import contextlib
import json
import re
import sys
import time
from pathlib import Path

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

ACCOUNT, CODES, WORDS = sys.argv[1], Path(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text())
PATIENCE_S = 240
BUTTONS = ("button.start", "button.continue", "button.ready")


def say(**facts):
    print(json.dumps(facts, ensure_ascii=False), flush=True)


def objects():
    """Role, name and object of everything on the desktop, in reading order."""
    stack = [Atspi.get_desktop(0)]
    while stack:
        found = stack.pop()
        try:
            found.clear_cache()
            yield found.get_role_name(), found.get_name(), found
            children = [found.get_child_at_index(at) for at in range(found.get_child_count())]
        except GLib.GError:
            continue  # it went away while it was looked at
        stack += [each for each in reversed(children) if each is not None]


def there(role, *keys, number=0):
    """The `number`-th object of a role with one of these names; with any name where none is given."""
    names = {WORDS[key] for key in keys}
    found = [each for told, name, each in objects() if told == role and (not names or name in names)]
    return found[number] if len(found) > number else None


def wait(look, what):
    """What `look` finds, sooner or later."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        found = look()
        if found:
            return found
        time.sleep(0.3)
    return sys.exit(f"waited in vain for {what}; heard {[(role, name) for role, name, _ in objects()]}")


def ready(found):
    """The object, if it is there and can be used now."""
    if found is None:
        return None
    try:
        found.clear_cache()
        return found if found.get_state_set().contains(Atspi.StateType.ENABLED) else None
    except GLib.GError:
        return None  # it went away


def press(role, *keys, number=0):
    """Press what is called so, once it can be pressed: while something is on its way it is there and says that not."""
    found = wait(lambda: ready(there(role, *keys, number=number)), f"{role} {keys} that can be pressed")
    name, action = found.get_name(), found.get_action_iface()
    if action is None or action.get_n_actions() == 0:
        sys.exit(f"{name!r} cannot be pressed")
    action.do_action(0)
    say(pressed=name)


def write(key, text):
    """Go to the line of this name, write, and hear what stands in it."""
    line = wait(lambda: there("text", key) or there("entry", key), f"the line {key}")
    line.get_component_iface().grab_focus()
    wait(lambda: line.clear_cache() or line.get_state_set().contains(Atspi.StateType.FOCUSED), "the focus")
    Atspi.generate_keyboard_event(0, text, Atspi.KeySynthType.STRING)
    wait(lambda: Atspi.Text.get_text(line, 0, -1) == text, f"{text!r} in the line {key}")
    say(wrote=line.get_name())


def code():
    found = re.findall(rf"development code for {ACCOUNT}: (\d+)", CODES.read_text())
    return found[-1] if found else None


def study():
    """From the lesson's first button to its result: press what a learner presses, keep what is said."""
    heard = set()
    while WORDS["result.title"] not in heard:
        for role, name, each in objects():
            if role == "push button" and name in {WORDS[key] for key in BUTTONS}:
                with contextlib.suppress(GLib.GError):  # it was pressed already, and went away
                    each.get_action_iface().do_action(0)
                    say(pressed=name)
            elif role in ("label", "heading", "alert") and name not in heard:
                heard.add(name)
                say(heard=name)
        time.sleep(0.4)


Atspi.init()
Atspi.set_timeout(30_000, 30_000)  # a machine under load answers late; a reader waits
for key in ("notice.read", "notice.promise"):
    press("check box", key)
for at in range(2):
    press("radio button", "notice.agree", number=at)
press("push button", "notice.continue")
write("signin.account", ACCOUNT)
press("push button", "signin.send")
wait(lambda: there("push button", "signin.finish"), "the line for the code")
write("signin.code", wait(code, "the code"))
press("push button", "signin.finish")
press("push button", "name.ask")
press("push button", "name.continue")
press("push button", "enrol.start")
press("push button", "enrol.continue")
press("push button", "today.start")
study()
say(done=True)
