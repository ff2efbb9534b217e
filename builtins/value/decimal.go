package value

import (
	"fmt"

	"github.com/shopspring/decimal"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/builtins/spec"
)

// Decimal is an exact decimal number as DECIMAL columns hold it. It keeps its digits: 1.50 prints as 1.50.
type Decimal struct{ d decimal.Decimal }

var (
	_ starlark.HasBinary      = Decimal{}
	_ starlark.HasUnary       = Decimal{}
	_ starlark.TotallyOrdered = Decimal{}
	_ starlark.HasAttrs       = Decimal{}
)

// maxDigits bounds what a script makes: a DECIMAL column has 65.
const maxDigits = 1000

// ParseDecimal reads "-12.50".
func ParseDecimal(s string) (Decimal, error) {
	if len(s) > maxDigits {
		return Decimal{}, fmt.Errorf("a decimal has at most %d digits", maxDigits)
	}
	d, err := decimal.NewFromString(s)
	if err != nil || d.Exponent() > maxDigits || d.Exponent() < -maxDigits {
		return Decimal{}, fmt.Errorf("%q is no decimal number", s)
	}
	return Decimal{d}, nil
}

func (d Decimal) String() string {
	if e := d.d.Exponent(); e < 0 {
		return d.d.StringFixed(-e)
	}
	return d.d.String()
}

// Type is "decimal".
func (d Decimal) Type() string         { return "decimal" }
func (d Decimal) Freeze()              {}
func (d Decimal) Truth() starlark.Bool { return starlark.Bool(!d.d.IsZero()) }

// Hash is the same for equal numbers, whatever their trailing zeros.
func (d Decimal) Hash() (uint32, error) { return starlark.String(d.d.String()).Hash() }

// Cmp orders by value.
func (d Decimal) Cmp(y starlark.Value, _ int) (int, error) { return d.d.Cmp(y.(Decimal).d), nil }

// Attr finds an attribute.
func (d Decimal) Attr(name string) (starlark.Value, error) { return decimalType.Attr(d, name) }

// AttrNames lists them.
func (d Decimal) AttrNames() []string { return decimalType.AttrNames() }

// Unary is - and +.
func (d Decimal) Unary(op syntax.Token) (starlark.Value, error) {
	switch op {
	case syntax.MINUS:
		return Decimal{d.d.Neg()}, nil
	case syntax.PLUS:
		return d, nil
	}
	return nil, nil
}

// asDecimal accepts what mixes exactly with a decimal: integers. Floats do not.
func asDecimal(v starlark.Value) (decimal.Decimal, bool) {
	switch v := v.(type) {
	case Decimal:
		return v.d, true
	case starlark.Int:
		return decimal.NewFromBigInt(v.BigInt(), 0), true
	}
	return decimal.Decimal{}, false
}

// quotientDigits is how many digits a quotient gets at least: as many as a DECIMAL can have after the point.
const quotientDigits = 30

// Binary is exact arithmetic; only / rounds, to 30 digits after the point.
func (d Decimal) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	other, ok := asDecimal(y)
	if !ok {
		return nil, nil
	}
	a, b := d.d, other
	if side == starlark.Right {
		a, b = b, a
	}
	switch op {
	case syntax.PLUS:
		return short(a.Add(b))
	case syntax.MINUS:
		return short(a.Sub(b))
	case syntax.STAR:
		return short(a.Mul(b))
	case syntax.SLASH, syntax.SLASHSLASH, syntax.PERCENT:
		if b.IsZero() {
			return nil, fmt.Errorf("decimal division by zero")
		}
		return divide(op, a, b)
	}
	return nil, nil
}

// divide follows Starlark: // rounds down, % has the sign of the divisor.
func divide(op syntax.Token, a, b decimal.Decimal) (starlark.Value, error) {
	if op == syntax.SLASH {
		return Decimal{a.DivRound(b, quotientDigits)}, nil
	}
	q, r := a.QuoRem(b, 0)
	if !r.IsZero() && r.IsNegative() != b.IsNegative() {
		q, r = q.Sub(decimal.NewFromInt(1)), r.Add(b)
	}
	if op == syntax.SLASHSLASH {
		return Decimal{q}, nil
	}
	return Decimal{r}, nil
}

func short(d decimal.Decimal) (starlark.Value, error) {
	if d.NumDigits() > maxDigits || d.Exponent() < -maxDigits {
		return nil, fmt.Errorf("the decimal would have more than %d digits", maxDigits)
	}
	return Decimal{d}, nil
}

var decimalType = (&spec.Type{
	Name: "decimal",
	Doc:  "An exact decimal number: what DECIMAL columns hold. It mixes with int, not with float.",
	Example: `
price = decimal("19.90")
expect.eq(price * 3, decimal("59.70"))
expect.eq(str(price), "19.90")
`,
	Attrs: []spec.Attr{
		{Name: "float", Type: "float", Doc: "The nearest float.", Get: func(v starlark.Value) (starlark.Value, error) {
			f, _ := v.(Decimal).d.Float64()
			return starlark.Float(f), nil
		}},
		{Name: "int", Type: "int", Doc: "The integer part.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.MakeBigInt(v.(Decimal).d.BigInt()), nil
		}},
	},
}).Seal()

// NewDecimal makes a decimal of a script's value.
func NewDecimal(v starlark.Value) (starlark.Value, error) {
	switch v := v.(type) {
	case Decimal:
		return v, nil
	case starlark.Int:
		return short(decimal.NewFromBigInt(v.BigInt(), 0))
	case starlark.String:
		return ParseDecimal(string(v))
	case starlark.Float:
		return nil, fmt.Errorf("a float is not exact: write decimal(\"%v\")", v)
	}
	return nil, fmt.Errorf("want str or int, got %s", v.Type())
}
