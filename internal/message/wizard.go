package message

// Texts of the main window, the wizard and the live view.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var wizardTexts = map[Key]string{}
