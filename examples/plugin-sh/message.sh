#!/bin/sh
# A sample plug-in for cau in POSIX sh: it brings a message to every node as a file, and says there what it reads back.
# docs/plugin-protocol.md is the contract. Files travel in base64, for which POSIX has no program: base64 of GNU, BSD or busybox is used.
# cau writes its lines compact, with quotes and backslashes escaped, so that what we need is cut out by sed. What this plug-in
# takes as an argument is letters, digits and spaces alone: anything else is refused before it is put anywhere.

say() { printf '%s\n' "$1"; }
field() { printf '%s\n' "$line" | sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }
fail() {
	say '{"type":"error","reason":"'"$1"'","hint":"'"$2"'"}'
	exit 0
}

# heard reads the answer to an ask. The end of input and a cancel line mean that nobody waits any more.
heard() {
	IFS= read -r answer || exit 1
	case $answer in
	*'"cancel":true'*) exit 1 ;;
	esac
}

describe() {
	say '{"type":"describe","protocol":1,"name":"Example.Message","version":"1.1","description":"Says a message on every node, as a sample.","options":[{"name":"Message","kind":"text","default":"hello","caption":"Message","help":"Letters, digits and spaces."}],"capabilities":["write:stage","read:install","script:install"]}'
}

validate() {
	given=$(printf '%s\n' "$line" | sed -n 's/.*"arguments":{\([^}]*\)}.*/\1/p' | sed 's/"Message":"[^"]*"//; s/^,//; s/,$//')
	if [ -n "$given" ]; then
		say '{"type":"validated","problems":[{"name":"--arg","problem":"holds an argument other than Message"}]}'
		return
	fi
	message=$(field Message)
	case $message in
	*[!A-Za-z0-9\ ]*) say '{"type":"validated","problems":[{"name":"Message","problem":"holds something other than letters, digits and spaces"}]}' ;;
	*) say '{"type":"validated","problems":[]}' ;;
	esac
}

scan() {
	message=$(field Message)
	case $message in
	'' | *[!A-Za-z0-9\ ]*) fail 'the message is not made of letters, digits and spaces' 'Give another --arg Message.' ;;
	esac
	say '{"type":"update","id":"message","name":"Message","identity":"message '"$message"'","limit_minutes":5,"data":"'"$message"'"}'
	say '{"type":"done"}'
}

stage() {
	message=$(field data)
	say '{"type":"progress","message":"brings the message"}'
	say '{"type":"ask","job":"bring","do":"write","path":"message.txt","data":"'"$(encode "$message")"'"}'
	heard
	case $answer in
	*'"ok":true'*) say '{"type":"done"}' ;;
	*) fail 'the node does not take the file' 'Look at the answer of the node in the live view.' ;;
	esac
}

encode() { printf '%s' "$1" | base64 | tr -d '\n'; }

install() {
	message=$(field data)
	say '{"type":"ask","job":"look","do":"read","path":"message.txt"}'
	heard
	case $answer in
	*'"ok":true'*'"data":"'"$(encode "$message")"'"'*) ;;
	*)
		say '{"type":"result","outcome":"failed","reason":"the message on the node is not the one that was brought there"}'
		return
		;;
	esac
	say '{"type":"ask","job":"say","do":"script","script":"Write-Output '"'$message'"'\nexit 0"}'
	heard
	case $answer in
	*'"ok":true'*'"exit_code":0,'*) say '{"type":"result","outcome":"installed","exit_code":0}' ;;
	*) say '{"type":"result","outcome":"failed","reason":"the script did not end with 0"}' ;;
	esac
}

IFS= read -r line || exit 1
case $line in
'{"cau":1,'*) ;;
*) fail 'this plug-in speaks version 1 of the protocol' 'Use a cau that does, too.' ;;
esac
case $(field request) in
describe) describe ;;
validate) validate ;;
scan) scan ;;
stage) stage ;;
install) install ;;
*) fail 'there is no such request' '' ;;
esac
