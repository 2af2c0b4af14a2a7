#!/usr/bin/env bash
# The action's first step: finds the tagbump to run, and sets the output "path" to it. In this order:
#
# 1. The one that TAGBUMP_ACTION_BINARY names.
# 2. The release in action/VERSION, if action/checksums.txt lists this platform's archive. An archive with another
#    checksum is never used, and nothing else is tried in its place.
# 3. A build of the sources beside this folder.
#
# It prints which one that is, and why, before anything else.
#
# TAGBUMP_RELEASES can name a mirror of the releases; what it serves is verified in the same way. start.sh starts this
# with an empty environment, and gives the variables through stdin.
set -euo pipefail

IFS= read -r -d '' settings || true
eval "$settings"
exec </dev/null

folder=${BASH_SOURCE[0]%/*}
# shellcheck source=action/common.sh
. "$folder/common.sh"

# Prints a line of the log. Nothing in it can be a command to the runner, which also takes `##[` inside of a line.
report() {
    local marker='##['
    printf 'tagbump: %s\n' "${1//"$marker"/# # [}"
}

# Sets `binary`.
find_binary() {
    if [ -n "${TAGBUMP_ACTION_BINARY:-}" ]; then
        use_named "$TAGBUMP_ACTION_BINARY"
        return
    fi
    local version target archive sum
    version=$(<"$folder/VERSION")
    target=$(this_target)
    archive=tagbump-$version-$target.tar.gz
    sum=$(listed_sum "$folder/checksums.txt" "$archive")
    if [ -n "$target" ] && [ -n "$sum" ]; then
        use_release "$version" "$target" "$archive" "$sum"
    else
        build "${folder%/*}" "${target:-this platform}"
    fi
}

# A path is relative to the workspace; a name is looked up in the safe part of the PATH.
use_named() {
    binary=$(type -P -- "$1") || die 2 'the input "binary" names nothing that can be run'
    case $binary in
    *$'\n'* | *$'\r'*) die 2 'the input "binary" has more than one line' ;;
    /* | [A-Za-z]:[\\/]*) ;;
    *) binary=$PWD/$binary ;;
    esac
    report "runs $binary, which the input \"binary\" names"
}

# The platform, as the names of the releases have it; empty if there are none for it.
this_target() {
    case ${RUNNER_OS:-$(uname -s)}/${RUNNER_ARCH:-$(uname -m)} in
    Linux/X64 | Linux/x86_64) echo x86_64-unknown-linux-musl ;;
    Linux/ARM64 | Linux/aarch64) echo aarch64-unknown-linux-musl ;;
    macOS/X64 | Darwin/x86_64) echo x86_64-apple-darwin ;;
    macOS/ARM64 | Darwin/arm64) echo aarch64-apple-darwin ;;
    Windows/X64) echo x86_64-pc-windows-msvc ;;
    esac
}

# The checksum of an archive in a file as sha256sum writes it; empty if it isn't listed.
listed_sum() {
    local sum name
    while read -r sum name; do
        if [ "$name" = "$2" ]; then
            echo "$sum"
            return
        fi
    done <"$1"
}

# Prints the path of a new folder that no other user can enter. The runner empties RUNNER_TEMP before and after each job.
private_folder() {
    local made
    made=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/tagbump.XXXXXX") && cd "$made" && pwd
}

# Unpacks the release into a private folder. The tool cache keeps the archive, and any earlier job could have changed it
# there: so the private copy is verified, and nothing runs from the cache itself.
use_release() {
    local version=$1 target=$2 archive=$3 sum=$4
    local own cache=${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:-}} name=tagbump from='the tool cache of this runner'
    case $target in *windows*) name=tagbump.exe ;; esac
    own=$(private_folder) || die 1 'no temporary folder could be made; mktemp says why above'
    [ -z "$cache" ] || cache=$cache/tagbump/$version
    if ! copy_cached "$cache/$archive" "$own/archive" "$sum"; then
        download "$version" "$archive" "$own/archive" "$sum"
        from=github.com
        [ -z "${TAGBUMP_RELEASES:-}" ] || from='the mirror in TAGBUMP_RELEASES'
        [ -z "$cache" ] || cache_archive "$own/archive" "$cache" "$archive" 2>/dev/null || true
    fi
    # from stdin, because GNU tar takes a name like C:\… for a host's; root must own what root unpacks
    tar -xzo -C "$own" "$name" <"$own/archive" || die 1 "$archive could not be unpacked; tar says why above"
    rm -f "$own/archive"
    report "runs the release $version for $target from $from, whose checksum this version of the action lists"
    chmod 700 "$own/$name"
    binary=$own/$name
}

# Copies the cached archive, if it is what it should be: copy_cached FROM TO SUM.
copy_cached() {
    [ -f "$1" ] && cp "$1" "$2" 2>/dev/null || return 1
    [ "$(sum_of "$2")" != "$3" ] || return 0
    printf '::warning title=tagbump::%s\n' \
        "the tool cache of this runner holds a tagbump archive with a wrong checksum. It is not used, and downloaded again. Another job may have changed it"
    return 1
}

# download VERSION ARCHIVE TO SUM
download() {
    local url=${TAGBUMP_RELEASES:-https://github.com/tagbump/tagbump/releases/download}/v$1/$2
    case $url in *[[:cntrl:]\"\\]*) die 2 'the variable TAGBUMP_RELEASES is not a URL' ;; esac
    # through stdin, because a mirror's URL can hold a password, and every user can read the arguments of a process
    if ! printf 'url = "%s"\n' "$url" |
        curl --fail --silent --show-error --location --proto '=https,http' --proto-redir '=https' \
            --retry 4 --connect-timeout 20 --max-time 300 --max-filesize 100000000 --output "$3" --config -; then
        die 1 "tagbump $1 could not be downloaded; curl says why above. Without a way to github.com, put the binary on the runner and name it in the input \"binary\""
    fi
    [ "$(sum_of "$3")" = "$4" ] ||
        die 1 "what was downloaded as $2 is not what this version of the action expects: its checksum is wrong. Nothing was run"
}

# Keeps the archive for other jobs: cache_archive FROM CACHE NAME. Doesn't follow a link that another job left in the
# cache, since this may be root in a container.
cache_archive() {
    local new
    [ ! -L "${2%/*}" ] && [ ! -L "$2" ] || return 0
    # renamed into place, because another job may be doing the same
    mkdir -p "$2" && new=$(mktemp "$2/.new.XXXXXX") && cp "$1" "$new" && chmod 644 "$new" && mv -f "$new" "$2/$3"
}

sum_of() {
    local line
    if type -P sha256sum >/dev/null; then
        line=$(sha256sum <"$1")
    else
        line=$(shasum -a 256 <"$1")
    fi
    echo "${line%% *}"
}

# build FOLDER PLATFORM: builds the sources in a folder. No file of the workspace takes part, unless the action itself is in
# the workspace.
build() {
    local cargo target_folder status=0 more=() made='made in' start=$SECONDS
    [ -f "$1/Cargo.toml" ] || die 1 'there is no release of tagbump for this runner, and no source to build it from'
    cargo=$(type -P cargo) ||
        die 1 'there is no release of tagbump for this runner, and no cargo outside the workspace to build it with; name one in the input "binary"'
    target_folder=$(build_folder) || die 1 'no temporary folder could be made; mktemp says why above'
    # Visual Studio is looked for by this one, whose name bash can't hold
    [ -z "${PROGRAMFILES:-}" ] || more=("ProgramFiles(x86)=$PROGRAMFILES (x86)")
    if [ -d "$target_folder/release" ]; then
        made='of an earlier step of this job, checked in'
    else
        report "builds this commit of the action, which lists no release for $2. That takes minutes, once in each job; \`uses\` with the version of a release doesn't"
    fi
    echo '::group::Build tagbump'
    # in the root, because cargo reads .cargo/config.toml, and rustup rust-toolchain.toml, in the current folder and above
    (cd / && env ${more[@]+"${more[@]}"} "$cargo" build --locked --release --quiet --bin tagbump \
        --manifest-path "$1/Cargo.toml" --target-dir "$target_folder") || status=$?
    echo '::endgroup::'
    [ "$status" -eq 0 ] || die 1 'tagbump could not be built; cargo says why above'
    # in a folder of its own if the user's own configuration of cargo names a target
    for binary in "$target_folder"/release/tagbump{,.exe} "$target_folder"/*/release/tagbump{,.exe}; do
        if [ -f "$binary" ]; then
            report "runs the build $made $((SECONDS - start)) s"
            return
        fi
    done
    die 1 'tagbump was built, but the binary was not found'
}

# Prints the path of the build's folder. Later steps of the job use it again, but later jobs don't: the runner empties
# RUNNER_TEMP, where it keeps the scripts of the steps too. So no job runs what another one left.
build_folder() {
    local shared=${RUNNER_TEMP:-}/tagbump-build
    if [ -n "${RUNNER_TEMP:-}" ] && { mkdir -m 700 "$shared" 2>/dev/null || [ -d "$shared" ]; } &&
        [ ! -L "$shared" ] && [ -O "$shared" ]; then
        cd "$shared" && pwd
    else
        private_folder
    fi
}

binary=
find_binary
printf 'path=%s\n' "$binary" >>"${GITHUB_OUTPUT:-/dev/stdout}"
