"""Writes the WiX source of an .msi: every file of a bundle under an id that stays the same while its path does."""

from __future__ import annotations

import argparse
import hashlib
import sys
import uuid
from pathlib import Path
from typing import Final
from xml.sax.saxutils import quoteattr as q

SPACE: Final = uuid.UUID("0f3c2d1e-6a52-4c0b-9a57-7a1f5d7f9b11")  # ours: ids of products and components grow out of it
# property → value under SOFTWARE\TrueSeat, where every value is a setting of the client (docs/deploy.md)
SETTINGS: Final = {"SERVERURL": "server", "ENROLTOKEN": "token", "LANG": "language"}
FOUND: Final = ("WIX_DOWNGRADE_DETECTED", "WIX_UPGRADE_DETECTED")  # wixl's own, for MajorUpgrade
# Repair and upgrade name no properties: what the registry holds then counts as given. It is looked for under a name of
# its own, because a search overwrites what the command line says. In a repair it counts whatever the command line says:
# Windows lets every user repair what is installed, with the installer's rights; nobody sets others' server like that.
REMEMBERED: Final = """<Property Id="OLD{name}">
<RegistrySearch Id="R{name}" Root="HKLM" Key="SOFTWARE\\TrueSeat" Name="{value}" Type="raw" Win64="yes"/>
</Property>
<CustomAction Id="Keep{name}" Property="{name}" Value="[OLD{name}]" Impersonate="yes"/>
<InstallExecuteSequence>
<Custom Action="Keep{name}" After="{after}">Installed OR (OLD{name} AND NOT {name})</Custom>
</InstallExecuteSequence>
"""
# Said in the list of programs. Put into the finished file: wixl itself knows no code page and loses such text.
RECORDS: Final = (
    r"卸载后学习记录仍保存在每位用户的 %LOCALAPPDATA%\trueseat，其中可能有尚未上传的内容。 "
    r"Removing this program keeps study records: %LOCALAPPDATA%\trueseat of each user, some may not be sent yet."
)
# MSIRESTARTMANAGERCONTROL, REBOOT: else a silent installation closes the window of a lesson, or restarts the computer.
HEAD: Final = """<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
<Product Id="*" Name={title} Language="1033" Version={version} Manufacturer="TrueSeat" UpgradeCode={upgrade}>
<Package InstallerVersion="500" Compressed="yes" InstallScope="perMachine" Languages="1033"/>
<MajorUpgrade DowngradeErrorMessage="A newer version is installed."/>
<Media Id="1" Cabinet="trueseat.cab" EmbedCab="yes"/>
<Property Id="ARPCOMMENTS" Value="records"/>
<Property Id="ARPNOMODIFY" Value="1"/>
<Property Id="MSIRESTARTMANAGERCONTROL" Value="Disable"/>
<Property Id="REBOOT" Value="ReallySuppress"/>
"""


def source(folder: Path, app: str, title: str, version: str) -> str:
    """The whole file, to lie beside `folder`: wixl takes no absolute paths."""
    head = {"title": q(title), "version": q(version), "upgrade": q(_id(app))}
    made = [HEAD.format(**head)]
    after = "AppSearch"
    for name, value in SETTINGS.items():
        made.append(REMEMBERED.format(name=name, value=value, after=after))
        after = f"Keep{name}"
    components: list[str] = []
    made.append('<Directory Id="TARGETDIR" Name="SourceDir">\n<Directory Id="ProgramFiles64Folder">\n')
    made.append(f'<Directory Id="INSTALLDIR" Name={q(title)}>\n')
    made += _folder(folder, folder, app, components)
    made += _settings(components)
    made.append("</Directory>\n</Directory>\n</Directory>\n")
    made.append(f'<Feature Id="All" Title={q(title)} Level="1">\n')
    made += [f'<ComponentRef Id="{name}"/>\n' for name in components]
    made.append("</Feature>\n</Product>\n</Wix>\n")
    return "".join(made)


def _folder(folder: Path, top: Path, app: str, components: list[str]) -> list[str]:
    """One component a file: repair then knows each by itself."""
    made: list[str] = []
    for path in sorted(folder.iterdir()):
        name = _name(app, path.relative_to(top).as_posix())
        if path.is_dir():
            made.append(f'<Directory Id="D{name}" Name={q(path.name)}>\n')
            made += [*_folder(path, top, app, components), "</Directory>\n"]
            continue
        components.append(f"C{name}")
        path_id, place = path.relative_to(top).as_posix(), path.relative_to(top.parent).as_posix()
        made.append(f'<Component Id="C{name}" Guid={q(_id(f"{app}/{path_id}"))} Win64="yes">')
        made.append(f'<File Id="F{name}" Name={q(path.name)} Source={q(place)} KeyPath="yes"/></Component>\n')
    return made


def _settings(components: list[str]) -> list[str]:
    """A component a setting, the same in every app: it goes with the last of them.

    `--conditions` makes each depend on its property, which wixl has no word for.
    """
    made: list[str] = []
    for name, value in SETTINGS.items():
        components.append(f"S{name}")
        made.append(f'<Component Id="S{name}" Guid={q(_id(f"setting/{value}"))} Win64="yes">')
        made.append(
            f'<RegistryKey Root="HKLM" Key="SOFTWARE\\TrueSeat"><RegistryValue Name="{value}" Type="string" '
            f'Value="[{name}]" KeyPath="yes"/></RegistryKey></Component>\n'
        )
    return made


def _name(app: str, path: str) -> str:
    return hashlib.sha256(f"{app}/{path}".encode()).hexdigest()[:24]


def _id(what: str) -> str:
    return str(uuid.uuid5(SPACE, what)).upper()


def conditions() -> str:
    """What msibuild runs on the finished file, a line each: a setting is written only where its property was given."""
    put = "UPDATE `Property` SET `Value` = '{0}' WHERE `Property` = '{1}'"
    ask = "UPDATE `Component` SET `Condition` = '{0}' WHERE `Component` = 'S{0}'"
    # these reach an installation that runs with more rights than its caller
    secure = ";".join((*FOUND, *SETTINGS, *(f"OLD{name}" for name in SETTINGS)))
    return "\n".join(
        [put.format(secure, "SecureCustomProperties"), put.format(RECORDS, "ARPCOMMENTS"), *map(ask.format, SETTINGS)]
    )


def main() -> int:
    """Print the source, or the conditions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conditions", action="store_true")
    parser.add_argument("folder", type=Path, nargs="?")
    for name in ("app", "title", "version"):
        parser.add_argument(name, nargs="?", default="")
    options = parser.parse_args()
    if options.conditions:
        print(conditions())
        return 0
    sys.stdout.write(source(options.folder.absolute(), options.app, options.title, options.version))
    return 0


if __name__ == "__main__":
    sys.exit(main())
