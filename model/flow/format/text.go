package format

import "strings"

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

func indented(line, by string) string {
	if line == "" {
		return ""
	}
	return by + line
}

// tidy puts one blank between a key and what stands behind it.
func tidy(line string) string {
	end := strings.Index(line, ":")
	if line != "" && (line[0] == '"' || line[0] == '\'') {
		if shut := strings.IndexByte(line[1:], line[0]); shut >= 0 {
			end = shut + 2 + strings.Index(line[shut+2:], ":")
		}
	}
	for end >= 0 && end+1 < len(line) && line[end+1] != ' ' { // a colon inside a key
		next := strings.Index(line[end+1:], ":")
		if next < 0 {
			return strings.TrimRight(line, " ")
		}
		end += 1 + next
	}
	if end < 0 {
		return strings.TrimRight(line, " ")
	}
	rest := strings.Trim(line[end+1:], " ")
	if rest == "" {
		return line[:end+1]
	}
	gap := " "
	if rest[0] == '#' { // what is behind comments lines up with others
		gap = line[end+1 : len(line)-len(strings.TrimLeft(line[end+1:], " "))]
	}
	return strings.TrimRight(line[:end], " ") + ":" + gap + rest
}

// squeeze leaves one of several blank lines.
func squeeze(lines []string) []string {
	var out []string
	for _, line := range lines {
		if line != "" || len(out) > 0 && out[len(out)-1] != "" {
			out = append(out, line)
		}
	}
	return out
}

func trimBlank(lines []string) []string {
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	return lines
}

// join puts entries one after the other, with what leads to each, and then the rest.
func join(list []entry, rest []string) []string {
	var out []string
	keep := false
	add := func(lead []string) {
		for _, line := range lead {
			if line != "" || !keep && len(out) > 0 && out[len(out)-1] != "" {
				out, keep = append(out, line), false
			}
		}
	}
	for _, e := range list {
		add(e.lead)
		out, keep = append(out, e.body...), e.keep
	}
	for len(rest) > 0 && rest[len(rest)-1] == "" {
		rest = rest[:len(rest)-1]
	}
	add(rest)
	return out
}
