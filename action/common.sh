#!/usr/bin/env bash
# What both steps of the action share. To be sourced; runs no program. Works in bash 3.2, which macOS has.

workspace=${GITHUB_WORKSPACE:-$PWD}

# Ends the step: die STATUS MESSAGE.
die() {
    printf '::error title=tagbump::%s\n' "$2"
    [ -z "${GITHUB_OUTPUT:-}" ] || printf '%s\n' outcome=failed changed=false >>"$GITHUB_OUTPUT"
    exit "$1"
}

# Whether files of the workspace can't be in a folder: its path is absolute, and it isn't the workspace nor inside it.
# Compares devices and inodes on the way up, because links and different spellings can hide where a folder is.
is_outside_workspace() {
    local place=$1
    case $place in
    /* | [A-Za-z]:[\\/]*) ;;
    *) return 1 ;;
    esac
    while [ -d "$place" ]; do
        [ ! "$place" -ef "$workspace" ] || return 1
        [ ! "$place" -ef "$place/.." ] || return 0 # the root
        place=$place/..
    done
}

# Removes from PATH every folder that a checkout can put programs into: relative ones, and those in the workspace. A
# `curl` or `git` that someone committed must not be taken for the real one.
use_safe_path() {
    local rest=$PATH: folder safe=
    while [ -n "$rest" ]; do
        folder=${rest%%:*}
        rest=${rest#*:}
        if [ -d "$folder" ] && is_outside_workspace "$folder"; then
            safe=$safe:$folder
        fi
    done
    # an empty PATH would mean the current folder
    [ -n "$safe" ] || die 1 'every folder on the PATH is inside the workspace; the action needs the programs of the system'
    export PATH=${safe#:}
}
