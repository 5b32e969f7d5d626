package app

import "os"

// poolFile is what the host tells a Linux guest (hv_kvp_daemon). Only root reads it on some distributions.
const poolFile = "/var/lib/hyperv/.kvp_pool_3"

// physicalHost is the name of the computer that carries this virtual machine, empty where that is not known.
func physicalHost() string {
	pool, err := os.ReadFile(poolFile)
	if err != nil {
		return ""
	}
	if full := pooled(pool, kvpHostFull); full != "" {
		return full
	}
	return pooled(pool, kvpHost)
}
