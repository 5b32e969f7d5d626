package message

// Keys of the messages that people get about a run, and of the commands about them.
const (
	// NoticeStarted to NoticeFinished take the run and the cluster; those about a node the node first.
	NoticeStarted    Key = "notice.started"
	NoticeContinued  Key = "notice.continued"
	NoticeWarned     Key = "notice.warned"
	NoticeStops      Key = "notice.stops"
	NoticeAsks       Key = "notice.asks"
	NoticeNodeFailed Key = "notice.node-failed"
	NoticeNodeHeld   Key = "notice.node-held"
	NoticeHeld       Key = "notice.held"
	NoticeCredential Key = "notice.credential"
	NoticeFinished   Key = "notice.finished"
	NoticeMore       Key = "notice.more"
	NoticeToDo       Key = "notice.to-do"
	NoticeTest       Key = "notice.test"
	NoticeTestText   Key = "notice.test.text"

	NotifyShort       Key = "notify.short"
	NotifyTestShort   Key = "notify.test.short"
	NotifyTestLong    Key = "notify.test.long"
	NotifyFlagFile    Key = "notify.flag.file"
	NotifyFlagResume  Key = "notify.flag.resume"
	NotifyTook        Key = "notify.took"
	NotifyRefused     Key = "notify.refused"
	NotifyNoFile      Key = "notify.no-file"
	NotifyNoFileHint  Key = "notify.no-file.hint"
	NotifyNobody      Key = "notify.nobody"
	NotifyNobodyHint  Key = "notify.nobody.hint"
	NotifyGone        Key = "notify.gone"
	NotifyUndelivered Key = "notify.undelivered"
)

// Texts of notifications.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var noticeTexts = map[Key]string{
	NoticeStarted:    "cau: run %s on %s has started",
	NoticeContinued:  "cau: run %s on %s goes on after its coordinator was gone",
	NoticeWarned:     "cau: run %s on %s takes long",
	NoticeStops:      "cau: run %s on %s begins no further node",
	NoticeAsks:       "cau: run %s on %s asks what to do about updates on %s",
	NoticeNodeFailed: "cau: %s failed in run %s on %s",
	NoticeNodeHeld:   "cau: %s is held in run %s on %s",
	NoticeHeld:       "cau: run %s on %s is held until somebody decides",
	NoticeCredential: "cau: run %s on %s needs a credential",
	NoticeFinished:   "cau: run %s on %s has ended: %s",
	NoticeMore:       "More: cau status %s, on %s.",
	NoticeToDo:       "What to do: %s",
	NoticeTest:       "cau: a test message",
	NoticeTestText:   "cau on %s can reach you here. Nothing has happened to any cluster.",

	NotifyShort:       "Tell people about runs",
	NotifyTestShort:   "Send a test message to every address in a file",
	NotifyTestLong:    "Sends a test message to every address in the file and says which service took it. The addresses are shoutrrr's:\nsmtp://user:password@host/?from=a@b&to=c@d, ntfy://ntfy.sh/topic, generic+https://host/hook. They are secrets: the file must be\nyours alone (chmod 600), and nothing but the services' names is ever shown.",
	NotifyFlagFile:    "file with the addresses, one in a line; # begins a comment",
	NotifyFlagResume:  "file with the addresses that people are told over; by default the one that the plan names",
	NotifyTook:        "%s took the message",
	NotifyRefused:     "%s did not: %s",
	NotifyNoFile:      "no file with addresses is named",
	NotifyNoFileHint:  "Name it with --notify-file, or give systemd's credential cau-notify.",
	NotifyNobody:      "there is nobody to be told",
	NotifyNobodyHint:  "Give a file with addresses with --notify-file, or leave --notify-on out.",
	NotifyGone:        "Nobody will be told about this run from now on: %s. Give the file with --notify-file.",
	NotifyUndelivered: "%d of %d notifications were not delivered; the last at %s: %s",
}
