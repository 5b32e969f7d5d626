package message

// Texts for what a run reports, one per kind of fact.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var factTexts = map[Key]string{}
