#!/usr/bin/env bash
# Checks a TrueSeat class archive with bash, coreutils and OpenSSL (3 or newer) alone: bash check.sh ARCHIVE TRUSTFILE
# It checks signatures, hashes and that no session is left out. It does not compute credited time; the verifier does.
set -euo pipefail
export LC_ALL=C
[ $# = 2 ] || { echo "usage: bash check.sh ARCHIVE TRUSTFILE" >&2; exit 2; }
archive=$1 trust=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() { echo "REFUSED: $*"; exit 1; }
[ -f "$trust" ] && [ -f "$archive/checkpoint" ] || { echo "no such archive or trust file" >&2; exit 2; }

# --- bytes: everything binary is kept as hex digits ----------------------------------------------------------------
unhex() { tr a-f A-F | basenc --base16 -d; }
tohex() { od -An -v -tx1 | tr -d ' \n'; }
sha() { local out; out=$(printf %s "$1" | unhex | sha256sum); echo "${out%% *}"; }
b64hex() { printf %s "$1" | base64 -d | tohex; }

# --- trees (RFC 6962): a stack of complete subtrees, "level:hash" ---------------------------------------------------
stack=()
grow() { # hash of one leaf
    local level=0 hash=$1 top
    while [ ${#stack[@]} -gt 0 ] && top=${stack[-1]} && [ "${top%%:*}" = $level ]; do
        hash=$(sha "01${top#*:}$hash"); level=$((level + 1)); unset 'stack[-1]'
    done
    stack+=("$level:$hash")
}
root() {
    local hash=${stack[-1]#*:} i
    for ((i = ${#stack[@]} - 2; i >= 0; i--)); do hash=$(sha "01${stack[i]#*:}$hash"); done
    echo "$hash"
}
tile() { # N W: the end of the path of tile N, W wide
    local path; path=$(printf %03d "$(($1 % 1000))")
    local rest=$(($1 / 1000))
    while [ $rest -gt 0 ]; do path=$(printf x%03d "$((rest % 1000))")/$path; rest=$((rest / 1000)); done
    [ "$2" = 256 ] && echo "$path" || echo "$path.p/$2"
}
entries=() # the entries of the log read last, as hex
read_log() { # folder size what
    local n width hex hashes at i length leaf stated
    stack=() entries=()
    for ((n = 0; n * 256 < $2; n++)); do
        width=$(($2 - n * 256)); [ $width -le 256 ] || width=256
        hex=$(tohex < "$1/tile/entries/$(tile $n $width)") || fail "$3: entries are missing"
        hashes=$(tohex < "$1/tile/0/$(tile $n $width)") || fail "$3: hashes are missing"
        at=0
        for ((i = 0; i < width; i++)); do
            [ ${#hex} -ge $((at + 4)) ] || fail "$3 $((n * 256 + i)) is missing"
            length=$((16#${hex:at:4} * 2)); stated=${hashes:i*64:64}
            if [ $length = 0 ]; then leaf=$stated; else leaf=$(sha "00${hex:at+4:length}"); fi
            [ "$leaf" = "$stated" ] || fail "$3 $((n * 256 + i)) is not what was hashed"
            entries+=("${hex:at+4:length}"); grow "$leaf"; at=$((at + 4 + length))
        done
        [ ${#hex} = $at ] || fail "$3: bytes after entry $((n * 256 + width - 1))"
    done
}

# --- signed notes ---------------------------------------------------------------------------------------------------
key_file() { # vkey: writes $tmp/key, sets key_type
    local rest=${1#*+} hex; hex=$(b64hex "${rest#*+}"); key_type=${hex:0:2}
    case $key_type in
        01 | 04) printf %s "302a300506032b6570032100${hex:2}" ;;
        02) printf %s "${hex:2}" ;;
        *) fail "a key of type $key_type" ;;
    esac | unhex > "$tmp/key"
}
find_line() { # note vkey: sets signature (hex, without the key ID) to that of the line by vkey, or to nothing
    local rest=${2#*+} line hex; signature=
    while IFS= read -r line; do
        case $line in "— ${2%%+*} "*) ;; *) continue ;; esac
        hex=$(b64hex "${line##* }"); [ "${hex:0:8}" != "${rest%%+*}" ] || signature=${hex:8}
    done < "$1"
}
check_line() { # note lines-of-text vkey what: the line by vkey must be there and fit; sets time for a cosignature
    find_line "$1" "$3"; [ -n "$signature" ] || fail "$4: no signature by ${3%%+*}"
    key_file "$3"; head -n "$2" "$1" > "$tmp/text"; time=
    if [ $key_type = 04 ]; then
        time=$((16#${signature:0:16})); signature=${signature:16}
        { printf 'cosignature/v1\ntime %d\n' $time; cat "$tmp/text"; } > "$tmp/cosigned"; mv "$tmp/cosigned" "$tmp/text"
    fi
    printf %s "$signature" | unhex > "$tmp/sig"
    local digest=(); [ $key_type != 02 ] || digest=(-digest sha256)
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$tmp/key" -rawin "${digest[@]}" -in "$tmp/text" \
        -sigfile "$tmp/sig" > /dev/null 2>&1 || fail "$4: the signature by ${3%%+*} does not fit"
}
read_checkpoint() { { IFS= read -r origin && IFS= read -r size && IFS= read -r root64 && IFS= read -r blank; } < "$1" && [ -z "$blank" ] || fail "$1 is no checkpoint"; }

# --- the class log --------------------------------------------------------------------------------------------------
read_checkpoint "$archive/checkpoint"; class=$origin
log_key=; declare -A witness=() group=() seen=(); quorum=
while read -r word name rest; do
    case $word in
        log) [ "${name%%+*}" != "$class" ] || log_key=$name ;;
        witness) witness[$name]=${rest%% *} ;;
        group) group[$name]=$rest ;;
        quorum) quorum=$name ;;
    esac
done < "$trust"
[ -n "$log_key" ] || fail "the trust file does not name the log $class"
check_line "$archive/checkpoint" 3 "$log_key" checkpoint
for name in "${!witness[@]}"; do
    find_line "$archive/checkpoint" "${witness[$name]}"; [ -n "$signature" ] || continue
    check_line "$archive/checkpoint" 3 "${witness[$name]}" checkpoint
    seen[$name]=1; echo "witness $name saw it at $(date -u -d "@$time" '+%F %T') UTC"
done
holds() { # does the witness or group $1 hold?
    [ -z "${witness[$1]:-}" ] || { [ -n "${seen[$1]:-}" ]; return; }
    local -a words; read -r -a words <<< "${group[$1]:-}"
    local need=${words[0]:-any} count=0 member
    for member in "${words[@]:1}"; do ! holds "$member" || count=$((count + 1)); done
    case $need in any) need=1 ;; all) need=$((${#words[@]} - 1)) ;; esac
    [ $count -ge "$need" ] && [ ${#words[@]} -gt 1 ]
}
[ "$quorum" = none ] || holds "$quorum" || fail "the checkpoint lacks the quorum $quorum"
read_log "$archive" "$size" "class log entry"
[ "$(root)" = "$(b64hex "$root64")" ] || fail "the class log does not hash to its signed root"
echo "class log $class: $size entries, as signed"

# --- what it names: keys, sessions ----------------------------------------------------------------------------------
declare -A key=() granted=() last=() empty=()
field() { local pattern="\"$2\":\"?([^\",}]*)"; [[ $1 =~ $pattern ]] && echo "${BASH_REMATCH[1]}" || true; }
for hex in "${entries[@]}"; do
    text=$(printf %s "$hex" | unhex)
    case $text in
        '{'*'"type":"key"'*) vkey=$(field "$text" vkey); key[${vkey%%+*}]+="$vkey " ;;
        '{'*'"type":"granted"'*) granted[$(field "$text" sid)]=1 ;;
        '{'*'"type":"revealed"'*) [ "$(field "$text" size)" != 0 ] || empty[$(field "$text" sid)]=1 ;;
        '{'*) ;;
        *) last[${text%%$'\n'*}]=$hex ;;
    esac
done
by_key_of() { # note lines what: the last signature line's signer must be a key of the class log
    local line name; line=$(tail -n 1 "$1"); name=${line#* }; name=${name%% *}
    local vkey; for vkey in ${key[$name]:-}; do
        find_line "$1" "$vkey"; [ -z "$signature" ] || { check_line "$1" "$2" "$vkey" "$3"; return; }
    done
    fail "$3: $name is no key of this class"
}

# --- the sessions ---------------------------------------------------------------------------------------------------
for sid in "${!granted[@]}"; do
    folder=$archive/sessions/$sid
    [ -d "$folder" ] || [ -n "${empty[$sid]:-}" ] || fail "session $sid was granted and is left out"
done
for folder in "$archive"/sessions/*/; do
    [ -d "$folder" ] || continue
    folder=${folder%/} sid=${folder##*/}; sid=${sid%/}
    [ -n "${granted[$sid]:-}" ] || fail "session $sid is no session of this class"
    read_checkpoint "$folder/checkpoint"
    mapfile -t cert < "$folder/device.cert"
    [ "${cert[1]}" = "$origin" ] && [ "${cert[2]}" = "$class" ] && [ "${origin##*/}" = "$sid" ] || fail "session $sid: its certificate is another session's"
    [ "${last[$origin]:-}" = "$(tohex < "$folder/checkpoint")" ] || fail "session $sid: its checkpoint is not the last in the class log"
    by_key_of "$folder/device.cert" 6 "certificate of session $sid"
    check_line "$folder/checkpoint" 3 "${cert[3]}" "checkpoint of session $sid"
    by_key_of "$folder/checkpoint" 3 "checkpoint of session $sid"
    read_log "$folder" "$size" "session $sid, event"
    [ "$(root)" = "$(b64hex "$root64")" ] || fail "session $sid: its events do not hash to the signed root"
    echo "session $sid: $size events, as signed; cosigned at $(date -u -d "@$time" '+%F %T') UTC"
done
echo "OK: every signature fits, every entry is the one that was signed, no session is left out."
