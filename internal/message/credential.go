package message

// Texts of cau credential.
const (
	CLICredentialShort Key = "cli.credential.short"
	CLICredentialLong  Key = "cli.credential.long"
	CLICredentialTaken Key = "cli.credential.taken"
)

//nolint:gochecknoglobals // a constant table; Go has no constant maps
var credentialTexts = map[Key]string{
	CLICredentialShort: "Give a run that is under way another sign-in",
	CLICredentialLong: `Give a run that is under way another password, ticket or certificate, when its own ends or does not work any more.

It is proven on one node before it takes the place of the old one; when that is refused the run keeps what it has. A run that
is held for its sign-in goes on by itself. The secret goes over the run's own socket and is written nowhere.`,
	CLICredentialTaken: "Run %s signs in with it from now on.",
}
