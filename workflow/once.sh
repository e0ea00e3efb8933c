# Runs a command as an attempt of Snakemake's: once.sh ATTEMPT REFUSED COMMAND...
# Status 2 is a mistake that only a person can put right: the file REFUSED remembers it, and later attempts do nothing.
attempt=$1 refused=$2
shift 2
if [ "$attempt" -gt 1 ] && [ -e "$refused" ]; then
    echo "not tried again: status 2 is no trouble of the machine, and only you can put it right; the error is above" >&2
    exit 2
fi
rm -f "$refused"
"$@"
status=$?
if [ "$status" -eq 2 ]; then
    mkdir -p "$(dirname "$refused")" && touch "$refused"
fi
exit "$status"
