#!/usr/bin/env bash
# Finds the tagbump that the action runs; for run.sh to source. In this order:
#
# 1. The one that TAGBUMP_ACTION_BINARY names.
# 2. The release in action/VERSION, if action/checksums.txt has this platform's archive. It must be what that file
#    says; what is not ends the run, and nothing else is tried. It is kept in the runner's tool cache.
# 3. A build of the sources beside this folder.
#
# TAGBUMP_RELEASES can name a mirror of the releases; what it gives is verified in the same way.
set -euo pipefail

# Ends the run: die STATUS MESSAGE.
die() {
    printf '::error title=tagbump::%s\n' "$2"
    [ -z "${GITHUB_OUTPUT:-}" ] || printf '%s\n' outcome=failed changed=false >>"$GITHUB_OUTPUT"
    exit "$1"
}

# Sets `binary`: find_binary FOLDER, this one.
find_binary() {
    local named=${TAGBUMP_ACTION_BINARY:-}
    if [ -n "$named" ]; then
        binary=$(type -P -- "$named") || die 2 'the input "binary" names nothing that can be run'
        return
    fi
    local version target archive sum
    version=$(<"$1/VERSION")
    target=$(this_target)
    archive=tagbump-$version-$target.tar.gz
    sum=$(listed_sum "$1/checksums.txt" "$archive")
    if [ -n "$target" ] && [ -n "$sum" ]; then
        use_release "$version" "$target" "$archive" "$sum"
    else
        build "$1/.."
    fi
}

# The platform, as the names of the releases have it; empty for those that have none.
this_target() {
    case ${RUNNER_OS:-$(uname -s)}/${RUNNER_ARCH:-$(uname -m)} in
    Linux/X64 | Linux/x86_64) echo x86_64-unknown-linux-musl ;;
    Linux/ARM64 | Linux/aarch64) echo aarch64-unknown-linux-musl ;;
    macOS/X64 | Darwin/x86_64) echo x86_64-apple-darwin ;;
    macOS/ARM64 | Darwin/arm64) echo aarch64-apple-darwin ;;
    Windows/X64) echo x86_64-pc-windows-msvc ;;
    esac
}

# The checksum of an archive in a file as sha256sum writes it; nothing where it is not listed.
listed_sum() {
    local sum name
    while read -r sum name; do
        if [ "$name" = "$2" ]; then
            echo "$sum"
            return
        fi
    done <"$1"
}

# Sets `binary` to the release's, which is downloaded unless this very archive was unpacked here before.
use_release() {
    local version=$1 target=$2 archive=$3 sum=$4
    local cache=${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:-/tmp}}/tagbump/$version
    local name=tagbump
    case $target in *windows*) name=tagbump.exe ;; esac
    binary=$cache/$target/$name
    local mark=$cache/$target.complete
    if [ -x "$binary" ] && [ -f "$mark" ] && [ "$(<"$mark")" = "$sum" ]; then
        return
    fi

    mkdir -p "$cache/$target"
    local scratch url
    scratch=$(mktemp -d "$cache/.new.XXXXXX")
    url=${TAGBUMP_RELEASES:-https://github.com/tagbump/tagbump/releases/download}/v$version/$archive
    if ! curl --fail --silent --show-error --location --proto '=https,http' --proto-redir '=https' \
        --retry 4 --connect-timeout 20 --max-time 300 --output "$scratch/archive" -- "$url"; then
        rm -rf "$scratch"
        die 1 "tagbump $version could not be downloaded; curl says why above. Without a way to github.com, put the binary on the runner and name it in the input \"binary\""
    fi
    if [ "$(sum_of "$scratch/archive")" != "$sum" ]; then
        rm -rf "$scratch"
        die 1 "what was downloaded as $archive is not what this version of the action expects: its checksum is wrong. Nothing was run"
    fi
    # from stdin, because GNU tar takes a name like C:\… for a host's
    tar -xz -C "$scratch" "$name" <"$scratch/archive"
    # the file, then the mark, each in one step: another job may be at it too
    chmod 755 "$scratch/$name"
    mv -f "$scratch/$name" "$binary"
    printf '%s\n' "$sum" >"$scratch/mark"
    mv -f "$scratch/mark" "$mark"
    rm -rf "$scratch"
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

# Sets `binary` to one made of these sources.
build() {
    [ -f "$1/Cargo.toml" ] || die 1 'there is no release of tagbump for this runner, and no source to build it from'
    type -P cargo >/dev/null ||
        die 1 'there is no release of tagbump for this runner, and no cargo to build it with; name one in the input "binary"'
    local target_folder=${CARGO_TARGET_DIR:-$1/target}
    echo '::group::Build tagbump'
    env -u CARGO_BUILD_TARGET cargo build --locked --release --quiet --bin tagbump \
        --manifest-path "$1/Cargo.toml" --target-dir "$target_folder" || die 1 'tagbump could not be built; cargo says why above'
    echo '::endgroup::'
    binary=$target_folder/release/tagbump
    [ -x "$binary" ] || binary=$binary.exe
}
