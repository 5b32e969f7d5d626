package app

import "golang.org/x/sys/windows/registry"

// physicalHost is the name of the computer that carries this virtual machine, empty where that is not known.
func physicalHost() string {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Virtual Machine\Guest\Parameters`, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer func() { _ = key.Close() }()
	for _, name := range []string{kvpHostFull, kvpHost} {
		if value, _, err := key.GetStringValue(name); err == nil && value != "" {
			return value
		}
	}
	return ""
}
