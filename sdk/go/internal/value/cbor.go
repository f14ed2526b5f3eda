package value

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"unicode/utf8"
)

// MaxDepth is how deep values may nest.
const MaxDepth = 64

var (
	errShort   = errors.New("the document ends early")
	errTrail   = errors.New("bytes follow the document")
	errDeep    = errors.New("values nest too deep")
	errType    = errors.New("a value has a type without an encoding")
	errForm    = errors.New("the document is malformed")
	errKey     = errors.New("a map key is no text")
	errNotUTF8 = errors.New("a text is not UTF-8")
)

// ToCBOR is v in canonical CBOR: shortest forms, definite lengths, keys by length and bytes.
func ToCBOR(v any) ([]byte, error) { return appendCBOR(make([]byte, 0, 256), v, 0) }

func appendCBOR(b []byte, v any, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return nil, errDeep
	}
	var err error
	switch v := v.(type) {
	case nil:
		return append(b, 0xf6), nil
	case bool:
		if v {
			return append(b, 0xf5), nil
		}
		return append(b, 0xf4), nil
	case int:
		return appendInt(b, int64(v)), nil
	case int64:
		return appendInt(b, v), nil
	case uint64:
		return appendHead(b, 0, v), nil
	case float64:
		if i := int64(v); float64(i) == v && -1<<53 < i && i < 1<<53 {
			return appendInt(b, i), nil // what readers without floats understand
		}
		return binary.BigEndian.AppendUint64(append(b, 0xfb), math.Float64bits(v)), nil
	case string:
		return append(appendHead(b, 3<<5, uint64(len(v))), v...), nil
	case []byte:
		return append(appendHead(b, 2<<5, uint64(len(v))), v...), nil
	case []any:
		b = appendHead(b, 4<<5, uint64(len(v)))
		for _, item := range v {
			if b, err = appendCBOR(b, item, depth+1); err != nil {
				return nil, err
			}
		}
		return b, nil
	case map[string]any:
		b = appendHead(b, 5<<5, uint64(len(v)))
		for _, k := range canonicalKeys(v) {
			b = append(appendHead(b, 3<<5, uint64(len(k))), k...)
			if b, err = appendCBOR(b, v[k], depth+1); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	return nil, errType
}

// canonicalKeys are the keys of m, shorter ones first.
func canonicalKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	slices.SortStableFunc(keys, func(a, b string) int { return len(a) - len(b) })
	return keys
}

func appendInt(b []byte, v int64) []byte {
	if v < 0 {
		return appendHead(b, 1<<5, uint64(^v))
	}
	return appendHead(b, 0, uint64(v))
}

func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

// FromCBOR reads one document, leniently: indefinite lengths, any float, tags skipped.
func FromCBOR(b []byte) (any, error) {
	d := decoder{b: b}
	v, err := d.value(0)
	if err == nil && len(d.b) > 0 {
		err = errTrail
	}
	return v, err
}

type decoder struct{ b []byte }

const indefinite = math.MaxUint64

func (d *decoder) take(n uint64) ([]byte, error) {
	if n > uint64(len(d.b)) {
		return nil, errShort
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b, nil
}

// head reads major type, argument and the low five bits.
func (d *decoder) head() (major byte, n uint64, low byte, err error) {
	first, err := d.take(1)
	if err != nil {
		return 0, 0, 0, err
	}
	major, low = first[0]>>5, first[0]&31
	switch {
	case low < 24:
		return major, uint64(low), low, nil
	case low == 31:
		return major, indefinite, low, nil
	case low > 27:
		return 0, 0, 0, errForm
	}
	raw, err := d.take(1 << (low - 24))
	if err != nil {
		return 0, 0, 0, err
	}
	for _, c := range raw {
		n = n<<8 | uint64(c)
	}
	return major, n, low, nil
}

func (d *decoder) value(depth int) (any, error) {
	if depth > MaxDepth {
		return nil, errDeep
	}
	major, n, low, err := d.head()
	if err != nil {
		return nil, err
	}
	switch major {
	case 0:
		if n > math.MaxInt64 {
			return n, nil
		}
		return int64(n), nil
	case 1:
		if n > math.MaxInt64 {
			return -1 - float64(n), nil
		}
		return ^int64(n), nil
	case 2:
		return d.chunks(2, n)
	case 3:
		text, err := d.chunks(3, n)
		if err == nil && !utf8.Valid(text) {
			err = errNotUTF8
		}
		return string(text), err
	case 4:
		return d.list(n, depth)
	case 5:
		return d.fields(n, depth)
	case 6:
		return d.value(depth + 1)
	}
	return simple(low, n)
}

// simple is major type 7.
func simple(low byte, n uint64) (any, error) {
	switch low {
	case 20:
		return false, nil
	case 21:
		return true, nil
	case 22, 23:
		return nil, nil
	case 25:
		return half(uint16(n)), nil
	case 26:
		return float64(math.Float32frombits(uint32(n))), nil
	case 27:
		return math.Float64frombits(n), nil
	}
	return nil, errForm
}

func half(h uint16) float64 {
	sign, exp, frac := 1.0, int(h>>10&31), float64(h&1023)
	if h>>15 == 1 {
		sign = -1
	}
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 31:
		if frac != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}

// chunks is a byte or text string, perhaps in pieces.
func (d *decoder) chunks(major byte, n uint64) ([]byte, error) {
	if n != indefinite {
		b, err := d.take(n)
		return append([]byte{}, b...), err
	}
	all := []byte{}
	for !d.stop() {
		m, n, _, err := d.head()
		if err == nil && (m != major || n == indefinite) {
			err = errForm
		}
		if err != nil {
			return nil, err
		}
		piece, err := d.take(n)
		if err != nil {
			return nil, err
		}
		all = append(all, piece...)
	}
	return all, nil
}

// stop consumes the end of an indefinite item.
func (d *decoder) stop() bool {
	if len(d.b) > 0 && d.b[0] == 0xff {
		d.b = d.b[1:]
		return true
	}
	return false
}

func (d *decoder) list(n uint64, depth int) (any, error) {
	all := []any{}
	for i := uint64(0); i < n; i++ {
		if n == indefinite && d.stop() {
			break
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func (d *decoder) fields(n uint64, depth int) (any, error) {
	all := map[string]any{}
	for i := uint64(0); i < n; i++ {
		if n == indefinite && d.stop() {
			break
		}
		k, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		name, ok := k.(string)
		if !ok {
			return nil, errKey
		}
		if all[name], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return all, nil
}
