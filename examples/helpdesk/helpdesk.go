package helpdesk

import "embed"

// Files is the example: the pack's source folder under "pack", and script.yaml.
//
//go:embed all:pack script.yaml
var Files embed.FS
