package cbor

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"reflect"

	fx "github.com/fxamacker/cbor/v2"

	"greentic.dev/greentic/fault"
)

// The limits on what is read. They hold for hostile input: memory stays below about a
// hundred times MaxItems bytes plus the input.
const (
	MaxBytes = 16 << 20 // length of a document
	MaxItems = 1 << 20  // data items in a document, keys and containers included
	MaxDepth = 96       // nesting
)

var decoder = newDecoder()

func newDecoder() fx.DecMode {
	m, err := fx.DecOptions{
		DupMapKey:            fx.DupMapKeyEnforcedAPF,
		MaxNestedLevels:      MaxDepth,
		MaxArrayElements:     MaxItems,
		MaxMapPairs:          MaxItems,
		IndefLength:          fx.IndefLengthAllowed,
		TagsMd:               fx.TagsAllowed,
		IntDec:               fx.IntDecConvertSignedOrBigInt,
		DefaultMapType:       reflect.TypeFor[map[string]any](),
		UTF8:                 fx.UTF8RejectInvalid,
		FieldNameMatching:    fx.FieldNameMatchingCaseSensitive,
		BigIntDec:            fx.BigIntDecodePointer,
		UnrecognizedTagToAny: fx.UnrecognizedTagContentToAny,
		TimeTagToAny:         fx.TimeTagToRFC3339Nano,
		BignumTag:            fx.BignumTagForbidden,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}

// Unmarshal reads one document into map[string]any, []any, string, []byte, int64, uint64
// (only above the range of int64), float64, bool and nil. Indefinite lengths, floats, any key
// order and unneeded tags are accepted; undefined reads as nil. The result shares no memory
// with b. Errors: fault.Invalid (not such a document), fault.Exhausted (over a limit).
func Unmarshal(b []byte) (any, error) {
	if err := checkSize(b); err != nil {
		return nil, err
	}
	var v any
	if err := decoder.Unmarshal(b, &v); err != nil {
		return nil, decodeError(err)
	}
	return settle(v)
}

// Decode reads one document into the struct, map or slice that into points at, matching field
// names by `cbor` or `json` tags, case-sensitively; unknown keys are skipped. It is as lenient
// and as limited as Unmarshal. Fields of type any may hold a *big.Int for an integer above the
// range of int64. Errors as Unmarshal; into may be partly filled then.
func Decode(b []byte, into any) error {
	if err := checkSize(b); err != nil {
		return err
	}
	if err := decoder.Unmarshal(b, into); err != nil {
		return decodeError(err)
	}
	return nil
}

// FromJSON reads one JSON document into the values of this package: numbers written without
// fraction and exponent become integers. The error is fault.Invalid.
func FromJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fault.As(fault.Invalid, "json", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "json", "more than one value")
	}
	return plain(v)
}

func checkSize(b []byte) error {
	if len(b) > MaxBytes {
		return fault.Newf(fault.Exhausted, "cbor decode", "document has %d bytes, more than %d", len(b), MaxBytes)
	}
	if len(b) <= MaxItems { // an item takes at least one byte
		return nil
	}
	items := 0
	walkHeads(b, func(head) bool {
		items++
		return items <= MaxItems
	})
	if items > MaxItems {
		return fault.Newf(fault.Exhausted, "cbor decode", "document has more than %d items", MaxItems)
	}
	return nil
}

func decodeError(err error) error {
	var nested *fx.MaxNestedLevelError
	if errors.As(err, &nested) {
		return fault.As(fault.Exhausted, "cbor decode", err)
	}
	return fault.As(fault.Invalid, "cbor decode", err)
}

// settle replaces big integers that fit by uint64 and refuses what JSON has no word for.
func settle(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case map[string]any:
		for k, item := range v {
			if simple(item) {
				continue
			}
			if v[k], err = settle(item); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, item := range v {
			if simple(item) {
				continue
			}
			if v[i], err = settle(item); err != nil {
				return nil, err
			}
		}
	case *big.Int:
		if !v.IsUint64() {
			return nil, fault.New(fault.Invalid, "cbor decode", "integer below the range of int64")
		}
		return v.Uint64(), nil
	case nil, bool, string, []byte, int64, float64:
	default:
		return nil, fault.Newf(fault.Invalid, "cbor decode", "%T has no JSON form", v)
	}
	return v, nil
}

func simple(v any) bool {
	switch v.(type) {
	case nil, bool, string, []byte, int64, float64:
		return true
	}
	return false
}
