#!/bin/bash
# check.sh DESK.deb SERVER.deb WORK SAMPLES: installs, starts and removes both packages for real, in a copy of this
# system's files that is thrown away (an overlay), without a network. Prints `ok …` for everything that holds.
set -euo pipefail
DESK=$(realpath "$1") SERVER=$(realpath "$2") WORK=$(realpath "$3") SAMPLES=$(realpath "$4") STAGE=${5:-outside}
HERE=$(realpath "$0")
PASSWORD='correct horse 42'

ok() { echo "ok $*"; }
fail() {
    echo "FAILED $*"
    exit 1
}
# holds NAME COMMAND…: the command succeeds.
holds() {
    local name=$1
    shift
    "$@" >"$WORK/last" 2>&1 || {
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

if [ "$STAGE" = outside ]; then
    [ "$(id -u)" = 0 ] || fail "this needs root: packages are installed into a copy of this system's files"
    # Inside, only this folder is as it is outside.
    cp "$DESK" "$WORK/desk.deb"
    cp "$SERVER" "$WORK/server.deb"
    cp -r "$SAMPLES" "$WORK/samples"
    cp "$HERE" "$WORK/check.sh"
    # The accent of the window's light theme: a page that was really drawn has it.
    sed -n 's/^ *--accent: *\(#[0-9a-f]*\);.*/\1/p' "$(dirname "$HERE")/../../ui/src/shared/design/tokens.css" |
        head -1 >"$WORK/accent"
    exec unshare --mount --net --pid --fork --kill-child \
        "$WORK/check.sh" "$WORK/desk.deb" "$WORK/server.deb" "$WORK" "$WORK/samples" overlay
fi

if [ "$STAGE" = overlay ]; then
    mkdir -p "$WORK"/{upper,inner,root}
    mount -t overlay overlay -o "lowerdir=/,upperdir=$WORK/upper,workdir=$WORK/inner" "$WORK/root"
    mount -t proc proc "$WORK/root/proc"
    mount --rbind /dev "$WORK/root/dev"
    mount -t tmpfs tmpfs "$WORK/root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$WORK/root/tmp"
    # What is done inside is looked at from outside.
    mkdir -p "$WORK/root$WORK"
    mount --bind "$WORK" "$WORK/root$WORK"
    ip link set lo up
    chroot "$WORK/root" "$HERE" "$DESK" "$SERVER" "$WORK" "$SAMPLES" inside
    exit
fi

cd /
export LANG=C.UTF-8 LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
unset DISPLAY WAYLAND_DISPLAY XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS
as() { # as USER COMMAND…
    local user=$1
    shift
    setpriv --reuid "$user" --regid "$user" --clear-groups env HOME="/home/$user" "$@"
}

# What of the system differs from before, without caches that belong to everybody.
leftovers() {
    find "$WORK/upper" -path "$WORK/upper$WORK" -prune -o -type f -print |
        sed "s|^$WORK/upper||" |
        grep -vE '^/(home/nurse/|var/lib/dpkg/|var/log/|var/cache/|etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|etc/\.pwd\.lock)' |
        grep -vE '/(mimeinfo\.cache|icon-theme\.cache|\.uuid)$|^/var/lib/systemd/deb-systemd-helper-|^/run/' || true
}

# --- the desk ---
useradd --create-home --user-group nurse
holds "the desk's package is installed without a network" dpkg -i "$DESK"
holds "its dependencies are complete" dpkg --audit
[ "$(aftercare-cli --version)" = "aftercare-cli $(dpkg-query -W -f='${Version}' aftercare)" ] || fail "versions differ"
ok "the programs are the package's version"
ENTRY=/usr/share/applications/cn.aftercare.desk.desktop
holds "there is a menu entry in Chinese" grep -q '^Name\[zh_CN\]=随访台$' "$ENTRY"
holds "there is an icon" test -s /usr/share/icons/hicolor/128x128/apps/aftercare.png
if command -v update-desktop-database >/dev/null; then
    update-desktop-database -q
    holds "links of aftercare: lead to it" \
        grep -q '^x-scheme-handler/aftercare=cn.aftercare.desk.desktop;' /usr/share/applications/mimeinfo.cache
fi
if command -v desktop-file-validate >/dev/null; then
    holds "the menu entry is sound" desktop-file-validate "$ENTRY"
fi

Xvfb :97 -screen 0 1366x768x24 -nolisten tcp >/dev/null 2>&1 &
becomes "there is a display" test -S /tmp/.X11-unix/X97
as nurse DISPLAY=:97 WEBKIT_DISABLE_COMPOSITING_MODE=1 aftercare aftercare:open >"$WORK/desk.log" 2>&1 &
DATA=/home/nurse/.local/share/cn.aftercare.desk
becomes "the desk starts" sh -c "grep -qs started $DATA/logs/aftercare.*.log"
drawn() {
    DISPLAY=:97 import -window root "$WORK/desk.png"
    [ "$(convert "$WORK/desk.png" txt:- | grep -ci "$(cat "$WORK/accent")")" -gt 200 ]
}
becomes "its window is drawn" drawn
as nurse DISPLAY=:97 timeout 20 aftercare aftercare:open >/dev/null 2>&1 || fail "a second start"
ok "a second start gives way to the first"
pkill -x -u nurse aftercare || fail "the desk had ended by itself"
becomes "the desk ends" sh -c '! pgrep -x -u nurse aftercare'

cli() { as nurse AFTERCARE_PASSWORD="$PASSWORD" aftercare-cli --json --home /home/nurse/data --user it "$@"; }
holds "a hospital is set up" cli init --hospital 青山县人民医院 --site 本部
holds "the sample extract is imported" cli import "$SAMPLES/出院患者_gb18030.csv"
cli find 王 >/tmp/found && grep -q patient_id /tmp/found || fail "nobody is found"
ok "a patient is found"
holds "the desk's package is installed over itself" dpkg -i "$DESK"
holds "its data are as before" cli doctor

# --- the server ---
HOME_FOLDER=/var/lib/aftercare-server
holds "the server's package is installed without a network" dpkg -i "$SERVER"
holds "it has a user of its own" getent passwd aftercare
[ "$(stat -c '%U %a' $HOME_FOLDER)" = "aftercare 700" ] || fail "the server's folder is open to others"
ok "its folder is its own"
[ "$(stat -c '%U %a' /etc/aftercare-server.env)" = "root 600" ] || fail "its settings are open to others"
ok "its settings are root's"
UNIT=/lib/systemd/system/aftercare-server.service
holds "the unit is sound" systemd-analyze verify "$UNIT"
holds "it starts with the system" test -L /etc/systemd/system/multi-user.target.wants/aftercare-server.service

# As systemd would: the unit's command, its user, its settings. There is no systemd to be told in a changed root.
serve() {
    local command settings
    command=$(sed -n 's/^ExecStart=//p' "$1")
    mapfile -t settings < <(grep -vE '^(#|$)' /etc/aftercare-server.env | tr -d '"')
    # shellcheck disable=SC2086
    setpriv --reuid aftercare --regid aftercare --clear-groups env -i PATH=/usr/bin:/bin "${settings[@]}" $command \
        >>"$WORK/server.log" 2>&1 &
    SERVING=$!
}
healthy() { [ "$(curl -sS --noproxy '*' --cacert "$1/authority.pem" "https://localhost:$2/healthz")" = ok ]; }
serve "$UNIT"
becomes "the server answers" healthy $HOME_FOLDER 8443
told() { setpriv --reuid aftercare --regid aftercare --clear-groups aftercare-server --home $HOME_FOLDER "$@"; }
CODE=$(told --json code new --history | sed -n 's/.*"code":"\([^"]*\)".*/\1/p')
[ -n "$CODE" ] || fail "there is no code"
ok "a code is made"
holds "the desk joins it" cli enrol --server https://localhost:8443 --code "$CODE"
holds "the desk syncs" cli sync --once
[ "$(told devices list | wc -l)" = 1 ] || fail "the server does not know the desk"
ok "the server knows the desk"
kill "$SERVING"
wait "$SERVING" || fail "the server did not end well when told"
ok "it ends when told"

echo 'AFTERCARE_SERVER_LISTEN=0.0.0.0:8555' >/etc/aftercare-server.env
dpkg-deb -R "$SERVER" /tmp/newer
sed -i 's/^Version: .*/Version: 99.0.0/' /tmp/newer/DEBIAN/control
dpkg-deb --build --root-owner-group -Znone /tmp/newer /tmp/newer.deb >/dev/null
holds "a newer server is installed over it" dpkg -i /tmp/newer.deb
holds "the administrator's settings are kept" grep -q 8555 /etc/aftercare-server.env
serve "$UNIT"
becomes "the server answers where the settings say" healthy $HOME_FOLDER 8555
[ "$(told devices list | wc -l)" = 1 ] || fail "the server has forgotten the desk"
ok "it still knows the desk"
kill "$SERVING"
wait "$SERVING" || true

# --- the same program as a service of its own ---
install -D -m 755 /usr/bin/aftercare-server /opt/aftercare/aftercare-server
own() { /opt/aftercare/aftercare-server --home /srv/aftercare "$@"; }
holds "both packages are removed" dpkg -r aftercare aftercare-server
holds "the server's data stay" test -s $HOME_FOLDER/authority.key
holds "the desk's data stay" test -s /home/nurse/data/aftercare.db
holds "the server is purged" dpkg -P aftercare-server
holds "its data stay even then" test -s $HOME_FOLDER/authority.key
[ ! -e /etc/aftercare-server.env ] || fail "settings are left"
ok "its settings are gone"
rm -rf /opt/aftercare.kept && mv /opt/aftercare /tmp/own
LEFT=$(leftovers | grep -v "^$HOME_FOLDER/" || true)
[ -z "$LEFT" ] || fail "left behind: $LEFT"
ok "nothing else is left behind"
mv /tmp/own /opt/aftercare

holds "the program registers itself with systemd" own --listen 0.0.0.0:8666 service install
UNIT=/etc/systemd/system/aftercare-server.service
holds "its unit is sound" systemd-analyze verify "$UNIT"
holds "it starts with the system too" test -L /etc/systemd/system/multi-user.target.wants/aftercare-server.service
serve "$UNIT"
becomes "it answers" healthy /srv/aftercare 8666
kill "$SERVING"
wait "$SERVING" || true
holds "it takes itself away" own service uninstall
[ ! -e "$UNIT" ] || fail "the unit is left"
holds "and leaves its data" test -s /srv/aftercare/authority.key
