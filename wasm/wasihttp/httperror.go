package wasihttp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
)

// httpError is a failure with its wasi:http error-code.
type httpError struct {
	code canon.Variant
	text string
}

func (e *httpError) Error() string {
	if e.text == "" {
		return e.code.Case
	}
	return e.code.Case + ": " + e.text
}

func httpFault(name string) *httpError { return &httpError{code: enum(name)} }

// sized is a code whose payload is an optional size.
func sized[T uint32 | uint64](name string, n T) *httpError {
	return &httpError{code: canon.Variant{Case: name, Value: canon.Some(n)}}
}

func internalError(text string) *httpError {
	text = strings.ToValidUTF8(text[:min(len(text), 200)], "\uFFFD")
	return &httpError{code: canon.Variant{Case: "internal-error", Value: canon.Some(text)}, text: text}
}

// ErrorCode is the case of wasi:http error-code that a guest sees for an error of Config.HTTP.
func ErrorCode(err error) string { return codeFor(err).code.Case }

// Failure is an error of Config.HTTP that the guest sees as the case ErrorCode gave, without the
// payload it may have had; an unknown case is internal-error, whose text is the given one.
func Failure(code, text string) error {
	e := &httpError{code: enum(code), text: text}
	switch code {
	case "DNS-error":
		e.code.Value = canon.Record{{Name: "rcode", Value: canon.Option{}}, {Name: "info-code", Value: canon.Option{}}}
	case "TLS-alert-received":
		e.code.Value = canon.Record{{Name: "alert-id", Value: canon.Option{}}, {Name: "alert-message", Value: canon.Option{}}}
	case "HTTP-request-trailer-size", "HTTP-response-header-size", "HTTP-response-trailer-size":
		e.code.Value = canon.Record{{Name: "field-name", Value: canon.Option{}}, {Name: "field-size", Value: canon.Option{}}}
	case "HTTP-request-body-size", "HTTP-request-header-section-size", "HTTP-request-header-size", "HTTP-request-trailer-section-size",
		"HTTP-response-header-section-size", "HTTP-response-body-size", "HTTP-response-trailer-section-size",
		"HTTP-response-transfer-coding", "HTTP-response-content-coding":
		e.code.Value = canon.Option{}
	case "DNS-timeout", "destination-not-found", "destination-unavailable", "destination-IP-prohibited", "destination-IP-unroutable",
		"connection-refused", "connection-terminated", "connection-timeout", "connection-read-timeout", "connection-write-timeout",
		"connection-limit-reached", "TLS-protocol-error", "TLS-certificate-error", "HTTP-request-denied", "HTTP-request-length-required",
		"HTTP-request-method-invalid", "HTTP-request-URI-invalid", "HTTP-request-URI-too-long", "HTTP-response-incomplete",
		"HTTP-response-timeout", "HTTP-upgrade-failed", "HTTP-protocol-error", "loop-detected", "configuration-error":
	default:
		return internalError(text)
	}
	return e
}

// codeFor reads an error of a transport: a code it carries, what went wrong on the network, and
// where nothing is known the kind of the fault.
func codeFor(err error) *httpError {
	var known *httpError
	if errors.As(err, &known) {
		return known
	}
	if code := networkCode(err); code != nil {
		return code
	}
	switch fault.KindOf(err) {
	case fault.Denied:
		return httpFault("HTTP-request-denied")
	case fault.Invalid:
		return httpFault("HTTP-protocol-error")
	case fault.Exhausted:
		return &httpError{code: canon.Variant{Case: "HTTP-response-body-size", Value: canon.Option{}}}
	case fault.Timeout:
		return httpFault("HTTP-response-timeout")
	case fault.Canceled:
		return httpFault("connection-terminated")
	case fault.Unavailable:
		return httpFault("destination-unavailable")
	}
	return internalError(err.Error())
}

func networkCode(err error) *httpError {
	var dns *net.DNSError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &dns) && dns.IsTimeout:
		return httpFault("DNS-timeout")
	case errors.As(err, &dns):
		none := canon.Record{{Name: "rcode", Value: canon.Option{}}, {Name: "info-code", Value: canon.Option{}}}
		return &httpError{code: canon.Variant{Case: "DNS-error", Value: none}}
	case errors.As(err, &alert):
		seen := canon.Record{{Name: "alert-id", Value: canon.Some(uint8(alert))}, {Name: "alert-message", Value: canon.Option{}}}
		return &httpError{code: canon.Variant{Case: "TLS-alert-received", Value: seen}}
	case errors.As(err, &record):
		return httpFault("TLS-protocol-error")
	case isCertificate(err):
		return httpFault("TLS-certificate-error")
	case errors.Is(err, syscall.ECONNREFUSED):
		return httpFault("connection-refused")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return httpFault("destination-IP-unroutable")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return httpFault("connection-terminated")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return httpFault("HTTP-response-incomplete")
	case errors.Is(err, context.DeadlineExceeded):
		return httpFault("HTTP-response-timeout")
	}
	return nil
}

func isCertificate(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}
