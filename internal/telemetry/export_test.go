package telemetry

// Families gives the SDK's metrics that are shown, with the SDK's prefix.
func Families() (names []string) {
	for _, f := range families() {
		names = append(names, prefix+f.name)
	}
	return names
}

// Tags gives the SDK's tags that become labels.
func Tags() (names []string) {
	for name, i := range tags {
		if i != deliveryStatus { // is our own
			names = append(names, name)
		}
	}
	return names
}
