#!/bin/bash
# check.sh STAGE SETUP64 NEWER64 SETUP WORK SAMPLES PROGRAMS: Setup.exe and the Windows programs under wine, with a
# server for Windows and a desk of this system (from PROGRAMS). Prints `ok …` for everything that holds. Needs a display.
set -euo pipefail
STAGE=$(realpath "$1") SETUP64=$(realpath "$2") NEWER64=$(realpath "$3") SETUP=$(realpath "$4") WORK=$(realpath "$5")
SAMPLES=$(realpath "$6") PROGRAMS=$(realpath "$7")
HERE=$(dirname "$(realpath "$0")")
# wine writes shortcuts into the home of whoever runs it.
export HOME=$WORK/home WINEPREFIX=$WORK/prefix WINEDEBUG=-all LC_ALL=C.UTF-8 LANG=C.UTF-8
export WINEDLLOVERRIDES='mscoree=;mshtml=;winemenubuilder.exe=d'
export AFTERCARE_PASSWORD='correct horse 42'
mkdir -p "$HOME"
PORT=$((20000 + RANDOM % 20000))

ok() { echo "ok $*"; }
fail() {
    echo "FAILED $*"
    exit 1
}
trap 'wineserver -k 2>/dev/null || true' EXIT
# A function brings its own end; a program gets five minutes.
within() { if declare -F "$1" >/dev/null; then "$@"; else timeout 300 "$@"; fi; }
# holds NAME COMMAND…: the command succeeds.
holds() {
    local name=$1
    shift
    within "$@" >"$WORK/last" 2>&1 || {
        cat "$WORK/last"
        fail "$name"
    }
    ok "$name"
}
# becomes NAME COMMAND…: the command succeeds within a minute.
becomes() {
    local name=$1 turn
    shift
    for turn in $(seq 120); do
        if "$@" >"$WORK/last" 2>&1; then
            ok "$name"
            return
        fi
        sleep 0.5
    done
    cat "$WORK/last"
    fail "$name"
}
# ends NAME CODE COMMAND…: the command ends with this code; what it says is in $WORK/ended.
ends() {
    local name=$1 code=$2 found=0
    shift 2
    within "$@" >"$WORK/ended" 2>&1 || found=$?
    [ "$found" = "$code" ] || {
        cat "$WORK/ended"
        fail "$name: ended with $found instead of $code"
    }
    ok "$name"
}
key() { wine reg query "$1" /reg:64; }
lacks_key() { ! key "$1" >/dev/null 2>&1; }
gone() { ! [ -e "$1" ]; }

# --- the files ---
for program in aftercare aftercare-cli aftercare-server; do
    file=$STAGE/$program.exe
    x86_64-w64-mingw32-objdump -p "$file" >"$WORK/about"
    grep -q 'file format pei-x86-64' "$WORK/about" || fail "$program is no Windows program"
    ! grep -iE 'DLL Name: lib(gcc|stdc|winpthread|ssl|crypto|sqlite)' "$WORK/about" || fail "$program needs others' libraries"
    # Resources of type 14 are icons with their sizes.
    grep -q 'Entry: ID: 0x00000e, ' "$WORK/about" || fail "$program has no icon"
    strings -el "$file" >"$WORK/texts"
    for name in CompanyName FileVersion ProductName; do
        grep -qx "$name" "$WORK/texts" || fail "$program says no $name"
    done
    ! grep -aqF "$(realpath "$HERE/../..")" "$file" || fail "$program names a folder of this machine"
    ok "$program.exe: 64 bit, version, icon and publisher, no foreign library, no folder of this machine"
done
holds "Setup.exe is a 32-bit program, which older Windows can still start" \
    sh -c "x86_64-w64-mingw32-objdump -f '$SETUP' | grep -q pei-i386"

# --- signing ---
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Aftercare test' -addext extendedKeyUsage=codeSigning \
    -keyout "$WORK/key.pem" -out "$WORK/certificate.pem" 2>/dev/null
echo test >"$WORK/password"
openssl pkcs12 -export -inkey "$WORK/key.pem" -in "$WORK/certificate.pem" -passout "file:$WORK/password" -out "$WORK/test.p12"
cp "$STAGE/aftercare-cli.exe" "$WORK/signed.exe"
holds "a program is signed with the configured certificate" env AFTERCARE_SIGN_PKCS12="$WORK/test.p12" \
    AFTERCARE_SIGN_PASSWORD_FILE="$WORK/password" "$HERE/sign.sh" "$WORK/signed.exe"
holds "its signature holds" osslsigncode verify -CAfile "$WORK/certificate.pem" -TSA-CAfile "$WORK/certificate.pem" -in "$WORK/signed.exe"
printf 'x' | dd of="$WORK/signed.exe" bs=1 seek=4096 conv=notrunc status=none
! osslsigncode verify -CAfile "$WORK/certificate.pem" -in "$WORK/signed.exe" >/dev/null 2>&1 || fail "a changed program passes"
ok "and breaks with the program"

# --- wine as an older Windows, then as Windows 10 ---
x86_64-w64-mingw32-gcc -O1 -shared -o "$WORK/bcryptprimitives.dll" "$HERE/test/bcryptprimitives.c" -ladvapi32
x86_64-w64-mingw32-gcc -O1 -o "$WORK/runtime.exe" "$HERE/test/runtime.c"
wine wineboot -i >/dev/null 2>&1
wineserver -w || true
cp "$WORK/bcryptprimitives.dll" "$WINEPREFIX/drive_c/windows/system32/"
USER_FOLDER=$WINEPREFIX/drive_c/users/$(id -un)
INSTALLED=$USER_FOLDER/AppData/Local/Programs/Aftercare
DATA=$USER_FOLDER/AppData/Local/cn.aftercare.desk
ENTRY="$USER_FOLDER/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/随访台.lnk"
SHORTCUT=$USER_FOLDER/Desktop/随访台.lnk
UNINSTALL='Software\Microsoft\Windows\CurrentVersion\Uninstall\Aftercare'
LINK='Software\Classes\aftercare'
wine winecfg -v win7
ends "Windows 7 is refused" 3 wine "$SETUP64" /S
gone "$INSTALLED" || fail "something was installed on Windows 7"
ok "and nothing was installed there"
wine winecfg -v win10

# --- one user ---
ends "without WebView2 the setup says so" 5 wine "$SETUP64" /S
for name in aftercare.exe aftercare-cli.exe WebView2Loader.dll; do
    cmp -s "$STAGE/$name" "$INSTALLED/$name" || fail "$name is not installed as it was made"
done
gone "$INSTALLED/aftercare-server.exe" || fail "the server was not asked for"
[ "$(find "$INSTALLED" -type f | wc -l)" = 4 ] || fail "other files are installed: $(ls "$INSTALLED")"
ok "all files are there, and no others"
holds "there is an entry in the Start menu" test -s "$ENTRY"
holds "there is a shortcut on the desktop" test -s "$SHORTCUT"
key "HKCU\\$UNINSTALL" >"$WORK/key"
for name in DisplayName DisplayVersion Publisher DisplayIcon InstallLocation UninstallString QuietUninstallString EstimatedSize; do
    grep -q "$name" "$WORK/key" || fail "the registry says no $name"
done
ok "Windows' list of programs has it"
holds "links of aftercare: lead to it" sh -c "wine reg query 'HKCU\\$LINK\\shell\\open\\command' /reg:64 | grep -q 'aftercare.exe.*%1'"
holds "it is this user's alone" lacks_key "HKLM\\$UNINSTALL"

timeout 60 wine "$INSTALLED/aftercare.exe" >"$WORK/desk.log" 2>&1 &
becomes "without WebView2 the desk says so" grep -q WebView2 "$WORK/desk.log"
wine taskkill /f /im aftercare.exe >/dev/null 2>&1 || true
wait $! || true

cp "$SETUP64" "$WORK/beside.exe"
cp "$WORK/runtime.exe" "$WORK/MicrosoftEdgeWebView2RuntimeInstallerX64.exe"
ends "WebView2's installer beside the setup is used" 0 wine "$WORK/beside.exe" /S
rm "$WORK/MicrosoftEdgeWebView2RuntimeInstallerX64.exe"
ends "WebView2 is found" 0 wine "$SETUP64" /S

# --- the command line ---
cli() { timeout 300 wine "$INSTALLED/aftercare-cli.exe" --json --home 'C:\desk' --user it "$@"; }
holds "Windows: a hospital is set up" cli init --hospital 青山县人民医院 --site 本部
holds "Windows: the sample extract is imported" cli import "Z:$SAMPLES/出院患者_gb18030.csv"
cli find 王 --limit 5 >"$WORK/found" 2>&1 || fail "find: $(cat "$WORK/found")"
grep -q patient_id "$WORK/found" || fail "nobody is found"
ok "Windows: a patient is found"
holds "Windows: the month's workbook is written" cli export followups --from 2025-01-01 --to 2026-12-31 --out 'C:\month.xlsx'
holds "Windows: it is a workbook" sh -c "file '$WINEPREFIX/drive_c/month.xlsx' | grep -qE 'Excel|Zip'"
holds "Windows: a backup is written and verified" cli backup 'C:\desk.backup'
holds "Windows: it is put back" env AFTERCARE_RECOVERY_CODE= wine "$INSTALLED/aftercare-cli.exe" --json --home 'C:\restored' --user it restore 'C:\desk.backup'
holds "Windows: the database is sound" cli doctor
ends "Windows: a wrong password is refused" 1 env AFTERCARE_PASSWORD=wrong wine "$INSTALLED/aftercare-cli.exe" --json --home 'C:\desk' --user it doctor
holds "and the word for it is there" grep -q '"code":"wrong_password"' "$WORK/ended"

# --- the server as a service ---
ends "the server's program is installed when asked for" 0 wine "$SETUP64" /S /SERVER
holds "it is there" cmp "$STAGE/aftercare-server.exe" "$INSTALLED/aftercare-server.exe"
x86_64-w64-mingw32-gcc -O1 -o "$WORK/person.exe" "$HERE/test/person.c"
# wine's service manager starts twice over when programs begin while it ends; switched off and on there is one.
wineserver -k || true
wineserver -w || true
wine "$WORK/person.exe" >/dev/null 2>&1 &
becomes "somebody is logged in" pgrep -f "$WORK/person.exe"
server() { timeout 120 wine "$INSTALLED/aftercare-server.exe" --json --home 'C:\ProgramData\Aftercare' "$@"; }
holds "it registers itself as a service" server --listen "127.0.0.1:$PORT" --hospital 青山县人民医院 service install
becomes "Windows knows that the service runs" sh -c 'wine sc query AftercareServer | grep -q RUNNING'
AUTHORITY=$WINEPREFIX/drive_c/ProgramData/Aftercare/authority.pem
healthy() { [ "$(curl -sS --noproxy '*' --cacert "$AUTHORITY" "https://localhost:$PORT/healthz")" = ok ]; }
becomes "the service answers" healthy
ends "the setup refuses while it runs" 4 wine "$NEWER64" /S
holds "and changes nothing" cmp "$STAGE/aftercare-server.exe" "$INSTALLED/aftercare-server.exe"
gone "$INSTALLED/new" || fail "the refused setup left files"

# --- a desk of this system, a server for Windows, a second desk for Windows ---
linux() { timeout 300 "$PROGRAMS/aftercare-cli" --json --home "$WORK/linux" --user nurse "$@"; }
code() { server code new "$@" | tr -d '\r' | sed -n 's/.*"code":"\([^"]*\)".*/\1/p'; }
holds "this system: a desk is set up" linux init --hospital 青山县人民医院 --site 本部
holds "this system: the sample is imported" linux import "$SAMPLES/出院患者_utf8bom.csv"
holds "this system's desk joins the Windows server" linux enrol --server "https://localhost:$PORT" --code "$(code --history)"
holds "this system's desk syncs" linux sync --once
linux find 王 --limit 1 >"$WORK/mine"
[ "$(server devices list | grep -o '"id"' | wc -l)" -ge 1 ] || fail "the server knows no desk"
ok "the Windows server knows the desk"
holds "the Windows server's trail is whole" server audit verify
holds "the Windows server is backed up while it serves" server backup 'C:\server.backup'
holds "the backup is sound" server verify 'C:\server.backup'
second() { timeout 300 wine "$INSTALLED/aftercare-cli.exe" --json --home 'C:\second' --user nurse "$@"; }
holds "a Windows desk joins as a new PC" second enrol --server "https://localhost:$PORT" --code "$(code --sites 本部)"
second find 王 --limit 1 | tr -d '\r' >"$WORK/theirs"
MINE=$(grep -o '"patient_id":"[^"]*"' "$WORK/mine" | head -1)
THEIRS=$(grep -o '"patient_id":"[^"]*"' "$WORK/theirs" | head -1)
[ -n "$MINE" ] && [ "$MINE" = "$THEIRS" ] || fail "the Windows desk does not have what the other wrote: $MINE, $THEIRS"
ok "the Windows desk has what the other wrote"
holds "the service is taken away" server service uninstall
! healthy 2>/dev/null || fail "it still answers"
ok "and answers no more"
holds "its data stay" test -s "$AUTHORITY"

# --- over-installation, lack of rights and of space ---
mkdir -p "$DATA"
echo kept >"$DATA/mark"
ends "a newer version is installed over it" 0 wine "$NEWER64" /S
holds "Windows' list shows the newer one" sh -c "wine reg query 'HKCU\\$UNINSTALL' /reg:64 | grep -q '99\.0\.0'"
holds "data are kept" grep -qx kept "$DATA/mark"
LEFT=$(find "$INSTALLED" -name '*.old' -o -name new)
[ -z "$LEFT" ] || fail "left behind: $LEFT"
holds "the server's program was renewed too" cmp "$STAGE/aftercare-server.exe" "$INSTALLED/aftercare-server.exe"
ends "a folder that cannot be written to is refused" 7 wine "$SETUP64" /S '/D=Z:\proc\aftercare'
if [ "$(id -u)" = 0 ] && mkdir -p "$WORK/small" && mount -t tmpfs -o size=20m tmpfs "$WORK/small" 2>/dev/null; then
    ln -sfn "$WORK/small" "$WINEPREFIX/dosdevices/t:"
    CODE=0
    timeout 300 wine "$SETUP64" /S '/D=T:\Aftercare' >/dev/null 2>&1 || CODE=$?
    LEFT=$(find "$WORK/small" -type f)
    rm "$WINEPREFIX/dosdevices/t:"
    umount -l "$WORK/small"
    [ "$CODE" = 6 ] || fail "a full disk: ended with $CODE"
    [ -z "$LEFT" ] || fail "a full disk: left $LEFT"
    ok "a disk without space is refused, and nothing is left on it"
fi

# --- the end ---
wine "$INSTALLED/uninstall.exe" /S
becomes "the programs are removed" gone "$INSTALLED"
holds "the Start menu entry is gone" gone "$ENTRY"
holds "the shortcut is gone" gone "$SHORTCUT"
holds "the registry's entries are gone" lacks_key "HKCU\\$UNINSTALL"
holds "links lead nowhere" lacks_key "HKCU\\$LINK"
holds "data stay" grep -qx kept "$DATA/mark"

ends "everybody: installed" 0 wine "$SETUP64" /S /ALLUSERS
ALL="$WINEPREFIX/drive_c/Program Files/Aftercare"
holds "everybody: the files are there" cmp "$STAGE/aftercare.exe" "$ALL/aftercare.exe"
holds "everybody: Windows' list has it" key "HKLM\\$UNINSTALL"
holds "everybody: links lead to it" key "HKLM\\$LINK\\shell\\open\\command"
holds "everybody: there is an entry in the Start menu" \
    test -s "$WINEPREFIX/drive_c/ProgramData/Microsoft/Windows/Start Menu/Programs/随访台.lnk"
holds "everybody: it is nobody's own" lacks_key "HKCU\\$UNINSTALL"
wine "$ALL/uninstall.exe" /S /DELETEDATA
becomes "everybody: removed" gone "$ALL"
holds "everybody: the registry's entry is gone" lacks_key "HKLM\\$UNINSTALL"
becomes "data are deleted when that is asked for" gone "$DATA"
