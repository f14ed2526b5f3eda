package flow

import "maps"

// codeSlot is the failure code of an output that does not fit a slot.
const codeSlot = "slot_invalid"

// fill puts values into the slots of the flow that have their names, or says what does not fit.
func (f *Flow) fill(c Cursor, values map[string]any) (_ Cursor, problem string) {
	slots := maps.Clone(c.Slots)
	for _, s := range f.slots {
		v, problem := f.slots.Accept(s.Name, values[s.Name])
		switch {
		case values[s.Name] == nil:
		case problem != "":
			return c, problem
		default:
			if slots == nil {
				slots = map[string]any{}
			}
			slots[s.Name] = v
		}
	}
	c.Slots = slots
	return c, ""
}

// slotsIn is the object slots of an output.
func slotsIn(payload any) map[string]any {
	m, _ := payload.(map[string]any)
	values, _ := m["slots"].(map[string]any)
	return values
}
