#!/bin/bash
# mk-sysroot.sh FOLDER: a Rust sysroot with the standard library for Windows, built from Debian's rust-web-src by
# Debian's rustc-web. Debian packages no such library, and the installer is to come from Debian's packages alone.
# Ready when FOLDER/.rustc-VERSION exists; FOLDER/bin/rustc is the compiler to use.
set -euo pipefail
TARGET=x86_64-pc-windows-gnu
RUSTC=/usr/bin/rustc
OUT=${1:?the folder of the sysroot}
STAMP=$OUT/.rustc-$("$RUSTC" -V | awk '{print $2}')
[ -e "$STAMP" ] && exit 0
rm -rf "$OUT"
mkdir -p "$OUT/bin" "$OUT/seed/src" "$OUT/lib/rustlib/$TARGET/lib"

# A package with nothing in it, whose only build product of interest is the library below it.
printf '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$OUT/seed/Cargo.toml"
: >"$OUT/seed/src/lib.rs"
# panic_abort must itself be compiled to abort, as the compiler's own bootstrap does.
cat >"$OUT/seed/rustc" <<'END'
#!/bin/sh
case " $* " in
*" --crate-name panic_abort "*) exec /usr/bin/rustc "$@" -Cpanic=abort ;;
*) exec /usr/bin/rustc "$@" ;;
esac
END
chmod +x "$OUT/seed/rustc"
cd "$OUT/seed"
# Bitcode stays in, or programs could not be linked with LTO. The bootstrap switch is for this library alone.
env -u CARGO_BUILD_TARGET -u CARGO_TARGET_DIR RUSTC="$OUT/seed/rustc" RUSTC_BOOTSTRAP=1 \
    RUSTFLAGS="-Cembed-bitcode=yes --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
    /usr/bin/cargo build --quiet --release --target "$TARGET" \
    -Zbuild-std=std,panic_unwind,panic_abort,proc_macro,test -Zbuild-std-features=backtrace,panic-unwind

HOST=$("$RUSTC" --print sysroot)/lib/rustlib
for part in x86_64-unknown-linux-gnu etc src; do ln -sfn "$HOST/$part" "$OUT/lib/rustlib/$part"; done
cp target/"$TARGET"/release/deps/*.rlib "$OUT/lib/rustlib/$TARGET/lib/"
rm -f "$OUT/lib/rustlib/$TARGET/lib/"libseed*.rlib
printf '#!/bin/sh\nexec /usr/bin/rustc --sysroot "%s" "$@"\n' "$OUT" >"$OUT/bin/rustc"
chmod +x "$OUT/bin/rustc"
rm -rf "$OUT/seed"
"$OUT/bin/rustc" -V >/dev/null
touch "$STAMP"
