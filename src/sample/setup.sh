#!/bin/sh
# Installer of the sample Notification Server: lays a clean server down. Needs coreutils, sed and iconv.
#
#   setup --root SERVER --install-path PATH --application-identity ACCOUNT --database NAME [--repair]
#
# Ends with 0: laid down; 1: a step failed (run it again: it goes on); 2: wrong usage; 11: already installed.
# What an administrator may have brought back before (settings, web configuration, database) is kept as it is.
set -eu
umask 022
LC_ALL=C
export LC_ALL
folder_time=2026-01-05T08:00:00Z

fail() { # EXIT_CODE TEXT
  code=$1
  shift
  printf 'setup: %s\n' "$*" >&2
  exit "$code"
}

root='' install_path='' application_identity='' database='' repair=no
while [ $# -gt 0 ]; do
  option=$1
  shift
  case $option in
    --repair) repair=yes; continue ;;
    --root | --install-path | --application-identity | --database) ;;
    *) fail 2 "unknown option $option" ;;
  esac
  [ -n "${1:-}" ] || fail 2 "$option needs a value"
  case $1 in *'
'*) fail 2 "the value of $option holds a line break" ;; esac
  case $option in
    --root) root=$1 ;;
    --install-path) install_path=$1 ;;
    --application-identity) application_identity=$1 ;;
    --database) database=$1 ;;
  esac
  shift
done
[ -n "$root" ] || fail 2 "--root is missing"
[ -n "$install_path" ] || fail 2 "--install-path is missing"
[ -n "$application_identity" ] || fail 2 "--application-identity is missing"
[ -n "$database" ] || fail 2 "--database is missing"
case $database in .* | -* | *[!A-Za-z0-9_.-]*) fail 2 "database name $database: letters, digits and _ . - only" ;; esac

# C:\Program Files\X is SERVER/Program Files/X.
program=$(printf '%s' "$install_path" | sed 's/^[A-Za-z]://; s/\\/\//g; s/^\/*//; s/\/*$//')
case /$program/ in */../* | */./* | *//*) fail 2 "installation path $install_path: not a plain path" ;; esac

payload=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)/payload
for piece in program settings/CoreSettings.config web/applicationHost.config registry/registry.reg.in database/empty.db; do
  [ -e "$payload/$piece" ] || fail 1 "the installation package is not complete: payload/$piece is missing"
done

folders() { # mode and path of every folder of a server; parents first
  cat <<'END'
@FOLDERS@
END
}

program_folders() { # the installation path and its parents
  rest=$program done=''
  while [ -n "$rest" ]; do
    done=$done${done:+/}${rest%%/*}
    printf '0755 %s\n' "$done"
    case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
  done
}

make_folder() { # MODE PATH
  [ ! -L "$2" ] || fail 1 "$2 is a symbolic link"
  [ -d "$2" ] || mkdir -- "$2"
  chmod "$1" -- "$2"
}

put() { # SOURCE TARGET: a whole file or none; an existing one is kept
  if [ ! -e "$2" ]; then
    cp -p -- "$1" "$2.setup-new"
    mv -- "$2.setup-new" "$2"
  fi
}

# Text for the inside of a quoted registry value, and then for the right side of sed's s|||.
registry_text() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g' | sed 's/[\\&|]/\\&/g'; }

write_registry() { # TARGET
  cr=$(printf '\r')
  {
    printf '\377\376'
    sed -e "s|@INSTALL_PATH@|$(registry_text "$install_path")|" \
      -e "s|@DATABASE_NAME@|$(registry_text "$database")|" \
      -e "s|@APPLICATION_IDENTITY@|$(registry_text "$application_identity")|" \
      -e "s/\$/$cr/" "$payload/registry/registry.reg.in" | iconv -f UTF-8 -t UTF-16LE
  } >"$1.setup-new"
  chmod 0640 -- "$1.setup-new"
  touch -d "$folder_time" -- "$1.setup-new"
  mv -- "$1.setup-new" "$1"
}

registry=$root/Registry/HKLM-SOFTWARE-Altiris.reg

# Says how far an installation is: its text until everything is there, then its mode (a change of mode is one step, which
# cannot be half done, and changes no time).
state=$root/$program/installation.state
finish() {
  touch -d "$folder_time" -- "$state"
  chmod 0644 -- "$state"
}

installed=no
if [ -f "$state" ] && [ "$(cat -- "$state")" != installed ]; then
  installed=unfinished
elif [ -f "$state" ] && [ "$(stat -c %a -- "$state")" = 600 ] && [ $repair = no ]; then
  finish
  exit 0
elif [ -f "$state" ] || [ -e "$registry" ]; then
  installed=yes
fi
if [ $installed = yes ] && [ $repair = no ]; then
  fail 11 "$root already has an installation; --repair lays its programs down again and keeps everything else"
fi
trap 'code=$?; [ $code = 0 ] || exit 1' EXIT # whatever a failed step ended with

[ ! -L "$root" ] || fail 1 "$root is a symbolic link"
mkdir -p -- "$root"
chmod 0755 -- "$root"
program_folders | while read -r mode folder; do make_folder "$mode" "$root/$folder"; done
[ $installed = yes ] || (umask 077; printf 'unfinished\n' >"$state")
folders | while read -r mode folder; do make_folder "$mode" "$root/$folder"; done

cp -a -- "$payload/program/." "$root/$program/"
put "$payload/settings/CoreSettings.config" "$root/ProgramData/Symantec/SMP/Settings/CoreSettings.config"
put "$payload/web/applicationHost.config" "$root/Windows/System32/inetsrv/config/applicationHost.config"
database_file=$root/Database/$database.db
if [ ! -e "$database_file" ] && [ -e "$database_file-wal" ]; then
  fail 1 "$database_file-wal lies there without its database: move it away"
fi
put "$payload/database/empty.db" "$database_file"
if [ $installed != yes ] || [ ! -e "$registry" ]; then write_registry "$registry"; fi

# Last: whatever is put into a folder changes its time.
{ folders; program_folders; } | {
  set -- "$root"
  while read -r mode folder; do set -- "$@" "$root/$folder"; done
  touch -d "$folder_time" -- "$@"
}
if [ $installed != yes ] || [ ! -f "$state" ]; then (umask 077; printf 'installed\n' >"$state"); fi
finish
