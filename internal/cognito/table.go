package cognito

// Table sets the claims of both tokens side by side, for whoever prints them.
type Table struct {
	Rows []Row
}

// Row is one claim in both tokens.
type Row struct {
	Claim      string
	ID, Access Cell
}

// Cell is a claim in one token. The zero value stands for a token that does not have it.
type Cell struct {
	// Value is compact JSON.
	Value string
	Mark  Mark
}

// Touched tells that the trigger had a hand in the cell.
func (c Cell) Touched() bool { return c.Mark == Added || c.Mark == Changed || c.Mark == Suppressed }

// Touched tells that the trigger had a hand in one of the tokens.
func (r Row) Touched() bool { return r.ID.Touched() || r.Access.Touched() }

// Table makes the table of an outcome: the claims of the ID token in their order, then those that only the access token has.
func (o Outcome) Table() Table {
	var table Table
	at := map[string]int{}
	cell := func(name string) *Row {
		i, there := at[name]
		if !there {
			i = len(table.Rows)
			at[name] = i
			table.Rows = append(table.Rows, Row{Claim: name})
		}
		return &table.Rows[i]
	}
	if o.IDToken != nil {
		for _, claim := range o.IDToken.Claims {
			cell(claim.Name).ID = Cell{Value: string(claim.Value), Mark: claim.Mark}
		}
	}
	if o.AccessToken != nil {
		for _, claim := range o.AccessToken.Claims {
			cell(claim.Name).Access = Cell{Value: string(claim.Value), Mark: claim.Mark}
		}
	}
	return table
}
