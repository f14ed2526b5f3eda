package nearest

// maxLen bounds the words compared, in bytes; longer ones are near to nothing.
const maxLen = 64

// Word returns the one of words with the smallest edit distance to given, the first of equals.
// It returns "" when none is nearer than half of the given word, rounded down, plus one edit.
func Word(given string, words []string) string {
	best, least := "", len(given)/2+1
	for _, w := range words {
		if len(given) > maxLen || len(w) > maxLen {
			continue
		}
		if d := distance(given, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is the edit distance of Levenshtein, by bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
