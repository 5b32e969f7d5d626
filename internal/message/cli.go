package message

// Texts of the command line.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var cliTexts = map[Key]string{}
