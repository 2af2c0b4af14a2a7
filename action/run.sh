#!/usr/bin/env bash
# The action's second step, sourced by the runner's shell: runs the tagbump that install.sh found, as the inputs say. They
# come as environment variables: TAGBUMP_INPUT_X is the input of the flag --x, whose own variable is TAGBUMP_X;
# TAGBUMP_ACTION_X are the others. Works in bash 3.2, which macOS has.
#
# The environment holds tokens, so this starts nothing that inherits it but tagbump.
set -euo pipefail

# shellcheck source=action/common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
use_safe_path

# Whether the binary takes a value for "yes".
is_on() {
    local status=0 value=${1:-}
    value=${value//[[:space:]]/}
    shopt -s nocasematch
    case $value in
    '' | n | no | f | false | off | 0) status=1 ;;
    esac
    shopt -u nocasematch
    return "$status"
}

# An empty input says nothing, and leaves a variable alone that the workflow set by itself.
for input in "${!TAGBUMP_INPUT_@}"; do
    if [ -n "${!input}" ]; then
        export "TAGBUMP_${input#TAGBUMP_INPUT_}=${!input}"
    fi
    unset "$input"
done

# The job's token goes by the name that GitHub's go by, so that it reaches GitHub alone.
if [ -z "${GITHUB_TOKEN:-}${GH_TOKEN:-}" ] && [ -n "${TAGBUMP_ACTION_GITHUB_TOKEN:-}" ]; then
    export GITHUB_TOKEN=$TAGBUMP_ACTION_GITHUB_TOKEN
fi
unset TAGBUMP_ACTION_GITHUB_TOKEN

# The runner takes these lines, and shows *** for what they say, wherever it is said. tagbump leaves blanks around a token
# away, as here; a % would be decoded.
for token in "${TAGBUMP_TOKEN:-}" "${GITHUB_TOKEN:-}" "${GH_TOKEN:-}"; do
    token=${token#"${token%%[![:space:]]*}"}
    token=${token%"${token##*[![:space:]]}"}
    [ -n "$token" ] || continue
    while IFS= read -r line; do
        [ -z "$line" ] || printf '::add-mask::%s\n' "${line//\%/%25}"
    done <<<"$token"
    header=$(printf 'x-access-token:%s' "$token" | (exec -c base64))
    printf '::add-mask::%s\n' "${header//$'\n'/}"
done

# It stays in the environment: tagbump then names inputs in its hints, where it would name flags at a terminal.
command=${TAGBUMP_ACTION_COMMAND:-bump}
arguments=()
case $command in
bump | rollback | promote | hold | unhold | wait)
    if [ "$command" = rollback ] && [ -n "${TAGBUMP_TAG:-}" ]; then
        die 2 'a rollback has no input "tag": the tag to go back to is the input "to"'
    fi
    if [ "$command" = promote ]; then
        if [ -n "${TAGBUMP_TAG:-}${TAGBUMP_DIGEST:-}${TAGBUMP_SOURCE:-}" ]; then
            die 2 'a promotion has no input "tag", "digest" or "source": they are those of the environment before'
        fi
        [ -n "${TAGBUMP_ENV:-}" ] || die 2 'a promotion needs the input "env": the environment to set'
        arguments+=("$TAGBUMP_ENV")
    fi
    while IFS= read -r image || [ -n "$image" ]; do
        image=${image#"${image%%[![:space:]]*}"}
        image=${image%"${image##*[![:space:]]}"}
        [ -z "$image" ] || arguments+=("$image")
    done <<<"${TAGBUMP_ACTION_IMAGE:-}"
    if [ "$command" != wait ] && [ -z "${TAGBUMP_PUSH:-}" ] && ! is_on "${TAGBUMP_DRY_RUN:-}" &&
        ! is_on "${TAGBUMP_COMMIT:-}" && ! is_on "${TAGBUMP_PR:-}"; then
        export TAGBUMP_PUSH=true
    fi
    ;;
tag)
    [ -z "${TAGBUMP_ACTION_IMAGE:-}" ] || export TAGBUMP_IMAGE=$TAGBUMP_ACTION_IMAGE
    ;;
*)
    # what was given is not shown: it could hold a command to the runner
    die 2 'the input "command" is none of bump, rollback, promote, tag, hold, unhold, wait'
    ;;
esac

binary=${TAGBUMP_ACTION_PATH:-}
case $binary in
/* | [A-Za-z]:[\\/]*) ;;
*) die 1 'the first step of the action did not say which tagbump to run' ;;
esac
exec "$binary" "$command" -- ${arguments[@]+"${arguments[@]}"}
