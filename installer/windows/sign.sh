#!/bin/bash
# sign.sh FILE: signs a Windows program in place with the certificate that the environment names:
#   AFTERCARE_SIGN_PKCS12         the certificate with its key (PKCS#12)
#   AFTERCARE_SIGN_PASSWORD_FILE  a file whose first line is its password
#   AFTERCARE_SIGN_TIMESTAMP      address of a time stamping service (optional; without it signatures end with the certificate)
set -euo pipefail
FILE=${1:?the program}
SIGNED=$FILE.signed
STAMP=()
[ -z "${AFTERCARE_SIGN_TIMESTAMP:-}" ] || STAMP=(-ts "$AFTERCARE_SIGN_TIMESTAMP")
rm -f "$SIGNED"
osslsigncode sign -pkcs12 "${AFTERCARE_SIGN_PKCS12:?}" -readpass "${AFTERCARE_SIGN_PASSWORD_FILE:?}" -h sha256 \
    -n "Aftercare" "${STAMP[@]}" -in "$FILE" -out "$SIGNED" >/dev/null
chmod --reference="$FILE" "$SIGNED"
mv "$SIGNED" "$FILE"
