package app

// A window names its zone, and the hosts that have no zones of their own are those of administrators: Windows, and Linux in
// a small container. The database in the program is what they get; one that the host has, which is newer, comes first.
import _ "time/tzdata"
