package expr

import (
	"encoding/json"
	"math"
	"strconv"
)

// num is an int64 or a float64.
type num struct {
	isInt bool
	i     int64
	f     float64
}

func integer(i int64) num { return num{isInt: true, i: i, f: float64(i)} }

// number reads any Go number.
func number(v any) (num, bool) {
	switch v := v.(type) {
	case int:
		return integer(int64(v)), true
	case int64:
		return integer(v), true
	case int32:
		return integer(int64(v)), true
	case uint64:
		if v <= math.MaxInt64 {
			return integer(int64(v)), true
		}
		return num{f: float64(v)}, true
	case uint32:
		return integer(int64(v)), true
	case float64:
		return num{f: v}, true
	case float32:
		return num{f: float64(v)}, true
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return integer(i), true
		}
		f, err := v.Float64()
		return num{f: f}, err == nil
	}
	return num{}, false
}

func (n num) String() string {
	if n.isInt {
		return strconv.FormatInt(n.i, 10)
	}
	if n.f == math.Trunc(n.f) && math.Abs(n.f) < 1e15 {
		return strconv.FormatInt(int64(n.f), 10)
	}
	return strconv.FormatFloat(n.f, 'g', -1, 64)
}
