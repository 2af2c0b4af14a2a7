#!/usr/bin/env bash
# The action's first step starts here, sourced by the runner's shell: starts install.sh with the variables that are listed
# below, and no others. install.sh may run cargo, which runs code of every dependency, and the environment of a job can
# hold any secret. Works in bash 3.2, which macOS has.
set -euo pipefail

folder=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=action/common.sh
. "$folder/common.sh"
use_safe_path

settings=
keep() {
    local line
    printf -v line '%s=%q\n' "$2" "${!2}"
    settings=$settings$1$line
}

shopt -s nocasematch # Windows spells them as it likes
for name in $(compgen -e); do
    case $name in
    # folders that the workspace may not provide: cargo and rustup read their configuration there
    HOME | CARGO_HOME | RUSTUP_HOME | TMPDIR | TEMP | TMP | SDKROOT | DEVELOPER_DIR)
        ! is_outside_workspace "${!name}" || keep 'export ' "$name"
        ;;
    RUNNER_TEMP | RUNNER_TOOL_CACHE)
        ! is_outside_workspace "${!name}" || keep '' "$name"
        ;;
    # downloads; of cargo's variables only these, since others name programs to run
    PATH | HTTP_PROXY | HTTPS_PROXY | ALL_PROXY | NO_PROXY | SSL_CERT_FILE | SSL_CERT_DIR | CURL_CA_BUNDLE | \
        CARGO_HTTP_* | CARGO_NET_* | RUSTUP_DIST_SERVER | RUSTUP_UPDATE_ROOT | LANG | LC_ALL | LC_CTYPE | \
        RUNNER_TRACKING_ID) # with the last, the runner finds processes that were left behind
        keep 'export ' "$name"
        ;;
    # what programs need on Windows
    SYSTEMROOT | SYSTEMDRIVE | WINDIR | COMSPEC | PATHEXT | OS | USERNAME | USERPROFILE | HOMEDRIVE | HOMEPATH | APPDATA | \
        LOCALAPPDATA | PROGRAMDATA | ALLUSERSPROFILE | PROGRAMFILES | COMMONPROGRAMFILES | PROCESSOR_ARCHITECTURE | \
        NUMBER_OF_PROCESSORS)
        keep 'export ' "$name"
        ;;
    # for install.sh alone
    GITHUB_OUTPUT | GITHUB_WORKSPACE | RUNNER_OS | RUNNER_ARCH | TAGBUMP_ACTION_BINARY | TAGBUMP_RELEASES)
        keep '' "$name"
        ;;
    esac
done
shopt -u nocasematch

# `exec -c` starts with nothing, also without variables whose names bash can't hold. The settings go through stdin, because
# the arguments of a process (as of `env -i NAME=VALUE`) can be read by every user.
bash=$(type -P bash) || die 1 'no bash was found on the PATH outside the workspace'
exec -c "$bash" "$folder/install.sh" <<<"$settings"
