// Package form is the questions of a flow: what is asked, in which order, and which answers count.
//
// What it is: [Read] for the payload of a questions node (formats digest 1.7), [Form.Next] for the
// question whose turn it is, [Form.Answer] to check an answer and give it its type. Who calls it:
// model/flow, to check sources and to run questions nodes; whoever builds such flows. What it refuses to do: I/O,
// and to take an answer that is not of its field's type. Main types: [Form], [Field], [Wrong]. Its
// promises are tested in form_test.go.
package form
