// Package direct sends the requests of a component from a test on this machine: it is the host's HTTP
// client for package greentic's Mock.
//
// What it is: [Do]. Who calls it: tests of components, against real servers on the loopback. What it refuses
// to do: give half an answer, which the host does not either. It is tested by those tests.
package direct

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"greentic.dev/sdk/go/greentic"
)

// Do is a client for a test: an answer is whole, or there is none.
func Do(t testing.TB) func(*greentic.Request) (*greentic.Response, error) {
	return func(q *greentic.Request) (*greentic.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), q.Method, q.URL, bytes.NewReader(q.Body))
		if err != nil {
			return nil, greentic.Fail("http_invalid", err.Error())
		}
		for _, f := range q.Header {
			r.Header.Add(f[0], f[1])
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return nil, greentic.Retry("http_unavailable", err.Error(), 0)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, greentic.Retry("http_unavailable", err.Error(), 0)
		}
		out := &greentic.Response{Status: resp.StatusCode, Body: body}
		for name, values := range resp.Header {
			for _, v := range values {
				out.Header = append(out.Header, [2]string{strings.ToLower(name), v})
			}
		}
		return out, nil
	}
}
