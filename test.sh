#!/usr/bin/env bash
# Installs what the tests need where it is missing, then runs everything and prints the time of each stage.
#   ./test.sh           vet, lint, PowerShell, all tests with -race, tapes
#   ./test.sh --quick   vet, lint, tests without servers
set -euo pipefail
cd "$(dirname "$0")"
quick=false
case "${1:-}" in
--quick) quick=true ;;
"") ;;
*)
	echo "usage: ./test.sh [--quick]" >&2
	exit 2
	;;
esac
mkdir -p .cache

stages=()
# stage NAME COMMAND... runs a command, keeps its time, and stops everything when it fails.
stage() {
	local name=$1 start=$SECONDS
	shift
	echo "== $name"
	if "$@"; then
		stages+=("$(printf '%-28s %4d s' "$name" $((SECONDS - start)))")
	else
		echo "FAILED: $name after $((SECONDS - start)) s" >&2
		exit 1
	fi
}

need() { command -v "$1" >/dev/null 2>&1; }

# tools names what the integration tests talk to: real peers, none of them ours.
install_tools() {
	local missing=()
	need smbd || missing+=(samba)
	need smbclient || missing+=(smbclient)
	need tmux || missing+=(tmux)
	need node || missing+=(nodejs)
	need npm || missing+=(npm)
	need python3 || missing+=(python3)
	system_python -c 'import winrm' 2>/dev/null || missing+=(python3-winrm)
	system_python -c 'import requests_kerberos' 2>/dev/null || missing+=(python3-requests-kerberos)
	system_python -c 'import gssapi' 2>/dev/null || missing+=(python3-gssapi)
	need kinit || missing+=(krb5-user)
	need ip || missing+=(iproute2)
	need xmllint || missing+=(libxml2-utils)
	# A domain controller: its database modules, the templates of a new domain, and the service that maps its accounts.
	[ -d /usr/share/doc/samba-ad-dc ] || missing+=(samba-ad-dc)
	[ -d /usr/share/samba/setup ] || missing+=(samba-ad-provision)
	need winbindd || missing+=(winbind)
	[ ${#missing[@]} -eq 0 ] && return 0
	if ! need apt-get; then
		echo "Install these, then run again: ${missing[*]}" >&2
		return 1
	fi
	local sudo=""
	[ "$(id -u)" -eq 0 ] || sudo=sudo
	echo "installing ${missing[*]}"
	$sudo apt-get update -qq >/dev/null
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# system_python is the distribution's Python: python3-winrm is installed for it, not for another one in PATH.
system_python() { if [ -x /usr/bin/python3 ]; then /usr/bin/python3 "$@"; else python3 "$@"; fi; }

lint_tool() {
	local want=.cache/golangci-lint
	if [ ! -x $want ] || [ scripts/lint/go.mod -nt $want ]; then
		(cd scripts/lint && go build -o ../../$want github.com/golangci/golangci-lint/v2/cmd/golangci-lint)
		touch $want
	fi
}

formatted() {
	local out
	out=$(gofmt -l $(git ls-files '*.go'))
	[ -z "$out" ] || { echo "gofmt differs: $out" >&2; return 1; }
}

powershell_scripts() {
	[ -d scripts/pscheck/node_modules ] || (cd scripts/pscheck && npm ci --silent --no-fund --no-audit)
	node scripts/pscheck/pscheck.mjs $(git ls-files '*.ps1')
}

# go_tests runs tests and holds every skip against ci-skips.txt: there, a skip needs a reason in the kernel. The built
# program's tests run by themselves: their clusters live many times faster than a busy machine can follow. The chaos rounds
# run without -race: what they look for is not memory, and half a minute of them shall be many.
go_tests() {
	local log=.cache/tests.jsonl rc=0
	go test -json -race -timeout 20m $(go list ./... | grep -Ev '/(e2e|chaos)$') >$log || rc=$?
	go test -json -timeout 20m ./chaos >>$log || rc=$?
	go test -json -race -timeout 20m ./e2e >>$log || rc=$?
	system_python scripts/test_report.py $log ci-skips.txt || rc=1
	return $rc
}

# fuzzing gives every parser of what people and other programs write ten seconds.
fuzzing() {
	local target
	for target in "FuzzParse ./hotfixcfg" "FuzzEdit ./hotfixcfg" "FuzzRead ./hotfixcfg/content" "FuzzParse ./plugins/windowsupdate/criteria" "FuzzParseArguments ./plugins" "FuzzMessages ./plugins/external"; do
		go test -run '^$' -fuzz "^${target% *}\$" -fuzztime 10s -fuzzminimizetime 10x "${target#* }" || return 1
	done
}

cross_compile() {
	for target in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do
		GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0 go build -o /dev/null . || return 1
	done
}

tapes() {
	go build -o .cache/cau . || return 1
	# A tape's name may end in the terminal's size: small-80x24.tape.
	local tape size
	for tape in demo.tape docs/tapes/*.tape; do
		size=$(sed -nE 's/.*-([0-9]+x[0-9]+)\.tape$/\1/p' <<<"$tape")
		scripts/play.sh --text --size "${size:-120x40}" "$tape" || return 1
	done
}

if ! $quick; then stage "install tools" install_tools; fi
stage "gofmt" formatted
stage "go vet" go vet ./...
stage "lint: build the linter" lint_tool
stage "lint" .cache/golangci-lint run ./...
if $quick; then
	stage "tests without servers" go test -short -timeout 5m ./...
else
	stage "PowerShell scripts" powershell_scripts
	stage "cross-compile" cross_compile
	export CAU_REQUIRE_SERVERS=1
	stage "tests with -race" go_tests
	stage "fuzzing" fuzzing
	stage "tapes" tapes
fi
echo
printf '%s\n' "${stages[@]}"
echo "total $SECONDS s"
