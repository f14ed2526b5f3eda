package schema

import (
	"errors"
	"sort"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is a compiled schema. It is immutable.
type Schema struct{ compiled *jsonschema.Schema }

// nowhere loads no schema: a $ref must point into the schema itself.
type nowhere struct{}

func (nowhere) Load(string) (any, error) {
	return nil, errors.New("a $ref must point into the schema itself")
}

const address = "given://schema/schema.json"

// Compile reads a schema: an object, or true and false. The error says what is wrong with it.
func Compile(doc any) (*Schema, error) {
	c := jsonschema.NewCompiler()
	c.UseLoader(nowhere{})
	if err := c.AddResource(address, doc); err != nil {
		return nil, said(err)
	}
	compiled, err := c.Compile(address)
	if err != nil {
		return nil, said(err)
	}
	return &Schema{compiled}, nil
}

func said(err error) error {
	text := strings.ReplaceAll(err.Error(), address+"#", "#")
	return errors.New(strings.ReplaceAll(text, address, "the schema"))
}

// Problems says what of v does not fit, by place; none when it fits. Numbers are int64 or float64.
func (s *Schema) Problems(v any) []string {
	err := s.compiled.Validate(v)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return []string{err.Error()}
	}
	var list []string
	leaves(invalid.BasicOutput(), &list)
	sort.Strings(list)
	return list
}

func leaves(u *jsonschema.OutputUnit, list *[]string) {
	if len(u.Errors) == 0 && u.Error != nil {
		place := "$" + strings.ReplaceAll(u.InstanceLocation, "/", ".")
		*list = append(*list, place+": "+u.Error.String())
	}
	for i := range u.Errors {
		leaves(&u.Errors[i], list)
	}
}
