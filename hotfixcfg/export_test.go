package hotfixcfg

// Canonical lets the fuzz target write what it has read.
var Canonical = canonical
