package wasihttp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"syscall"
	"testing"

	"greentic.dev/greentic/fault"
)

// failures is errors of transports by the code a guest sees.
func failures() map[string]error {
	return map[string]error{
		"DNS-timeout":               &net.DNSError{IsTimeout: true},
		"DNS-error":                 &net.DNSError{IsNotFound: true},
		"TLS-alert-received":        tls.AlertError(40),
		"TLS-protocol-error":        tls.RecordHeaderError{},
		"TLS-certificate-error":     x509.UnknownAuthorityError{},
		"connection-refused":        &url.Error{Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}},
		"destination-IP-unroutable": syscall.ENETUNREACH,
		"connection-terminated":     io.EOF,
		"HTTP-response-incomplete":  io.ErrUnexpectedEOF,
		"HTTP-response-timeout":     context.DeadlineExceeded,
		"HTTP-request-denied":       fault.New(fault.Denied, "http", "no grant"),
		"HTTP-protocol-error":       fault.New(fault.Invalid, "http", "header"),
		"HTTP-response-body-size":   fault.New(fault.Exhausted, "http", "too large"),
		"destination-unavailable":   fault.New(fault.Unavailable, "http", "gone"),
		"internal-error":            errors.New("something"),
	}
}

func TestFailuresOfATransportHaveTheirCodes(t *testing.T) {
	for want, err := range failures() {
		if got := ErrorCode(fault.Wrap("http GET host", err)); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}
