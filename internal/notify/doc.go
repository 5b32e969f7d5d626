// Package notify sends short messages to people over services that are named by an address: chat, mail, webhooks.
//
//	internal/app (what is said, and when) -> notify -> shoutrrr
//
// The addresses are secrets (R04): they hold tokens and passwords. Nothing here prints one, and an error says which
// service failed and in which of a few known ways, in words of our own: shoutrrr puts addresses into its errors.
package notify
