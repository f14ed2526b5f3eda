package link

func hostName(iface, name string) string {
	if iface == "" {
		return name
	}
	return iface + "#" + name
}
