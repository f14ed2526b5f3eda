package egress

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfter is how long a Retry-After header (RFC 9110 10.2.3) asks to wait: seconds, or until a
// date, which is nothing when it has passed. It is false for what is neither.
func RetryAfter(value string, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0), true
	}
	n, err := strconv.ParseUint(value, 10, 31)
	return time.Duration(n) * time.Second, err == nil
}
