//go:build race

package winnode_test

func init() { raced = true } //nolint:gochecknoinits // the only way to know of the detector
