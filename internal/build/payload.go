package build

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/project"
)

// Payload formats of HTTP requests.
const (
	// PayloadV1 is that of REST APIs, and of HTTP APIs on demand.
	PayloadV1 = project.PayloadV1
	// PayloadV2 is that of HTTP APIs and function URLs.
	PayloadV2 = project.PayloadV2
	// PayloadALB is that of load balancers.
	PayloadALB = project.PayloadALB
)

// Payload is the format in which a function takes HTTP requests.
type Payload struct {
	// Format is one of [project.Payloads], [PayloadV2] if nothing says otherwise.
	Format string `json:"format"`
	// Reason says why, or is "".
	Reason string `json:"reason,omitempty"`
	// Configured means that golam.yaml chose it.
	Configured bool `json:"configured,omitempty"`
}

const (
	eventsPackage = "github.com/aws/aws-lambda-go/events"
	urlPackage    = "github.com/aws/aws-lambda-go/lambdaurl"
)

// payloadOf are the types of aws-lambda-go for HTTP requests.
var payloadOf = map[string]string{
	"APIGatewayProxyRequest": PayloadV1, "APIGatewayV2HTTPRequest": PayloadV2, "LambdaFunctionURLRequest": PayloadV2,
	"ALBTargetGroupRequest": PayloadALB,
}

// payloads finds out which payload formats functions take, from the types of their handlers. It reads the source and runs nothing.
type payloads struct {
	list *listing
	set  *token.FileSet
	// relevant are the packages that lead to aws-lambda-go. All others are of no interest, and are not read.
	relevant map[string]bool
	parsed   map[string][]*ast.File
}

func newPayloads(list *listing) *payloads {
	return &payloads{
		list: list, set: token.NewFileSet(), relevant: map[string]bool{}, parsed: map[string][]*ast.File{},
	}
}

// of finds the format of a function.
func (p *payloads) of(f Function) Payload {
	if format := p.list.project.entry(f.Name).Payload; format != "" {
		return Payload{Format: format, Reason: generator.ProjectFile + " says so", Configured: true}
	}
	var local []goPackage
	for _, reached := range p.list.reach(f.Package) {
		if p.list.local(reached) {
			local = append(local, reached)
		}
	}
	taken := map[string]bool{} // names of types, or urlPackage
	for _, pkg := range local {
		if p.leads(pkg.ImportPath) {
			p.handlers(pkg, taken, false)
		}
	}
	if len(taken) == 0 && p.leads(f.Package) {
		// Another package may call Start with what the main package gives it.
		p.handlers(p.list.packages[f.Package], taken, true)
	}
	if len(taken) == 0 {
		// A handler may be hidden behind an interface. If the function knows one type only, that is it.
		for _, pkg := range local {
			p.mentioned(pkg, taken)
		}
	}
	formats := map[string]string{} // a type of each
	for name := range taken {
		if name == urlPackage {
			formats[PayloadV2] = "it calls lambdaurl.Start"
		} else {
			formats[payloadOf[name]] = "its handler takes events." + name
		}
	}
	if len(formats) != 1 {
		return Payload{Format: PayloadV2}
	}
	for format, reason := range formats {
		return Payload{Format: format, Reason: reason}
	}
	return Payload{}
}

// leads reports whether a package imports the packages of aws-lambda-go that matter, be it through others.
func (p *payloads) leads(importPath string) bool {
	if known, ok := p.relevant[importPath]; ok {
		return known
	}
	if importPath == eventsPackage || importPath == lambdaPackage || importPath == urlPackage {
		p.relevant[importPath] = true
		return true
	}
	p.relevant[importPath] = false // packages do not import each other
	for _, imported := range p.list.packages[importPath].Imports {
		if p.leads(imported) {
			p.relevant[importPath] = true
		}
	}
	return p.relevant[importPath]
}

// files parses a package, as far as that can be done.
func (p *payloads) files(pkg goPackage) []*ast.File {
	if files, done := p.parsed[pkg.ImportPath]; done {
		return files
	}
	var files []*ast.File
	for _, name := range pkg.GoFiles {
		if file, _ := parser.ParseFile(p.set, filepath.Join(pkg.Dir, name), nil, parser.SkipObjectResolution); file != nil {
			files = append(files, file)
		}
	}
	p.parsed[pkg.ImportPath] = files
	return files
}

// handlers adds the types that the handlers take which a package gives to aws-lambda-go, or to anybody.
func (p *payloads) handlers(pkg goPackage, taken map[string]bool, anybody bool) {
	for _, file := range p.files(pkg) {
		var calls []*ast.CallExpr
		lambda, url := importName(file, lambdaPackage, "lambda"), importName(file, urlPackage, "lambdaurl")
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			if anybody {
				calls = append(calls, call)
				return true
			}
			function := call.Fun
			switch indexed := function.(type) { // StartHandlerFunc[In, Out]
			case *ast.IndexExpr:
				function = indexed.X
			case *ast.IndexListExpr:
				function = indexed.X
			}
			selector, ok := function.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			from, ok := selector.X.(*ast.Ident)
			if !ok || !strings.HasPrefix(selector.Sel.Name, "Start") && !strings.HasPrefix(selector.Sel.Name, "NewHandler") {
				return true
			}
			switch from.Name {
			case url:
				taken[urlPackage] = true
			case lambda:
				calls = append(calls, call)
			}
			return true
		})
		for _, call := range calls {
			for _, argument := range call.Args {
				p.argument(pkg, file, argument, taken, true)
			}
		}
	}
}

// argument adds the types that a handler takes which a file gives to a function.
func (p *payloads) argument(pkg goPackage, file *ast.File, argument ast.Expr, taken map[string]bool, variables bool) {
	// Middleware is given the handler, so look at what is within, too.
	ast.Inspect(argument, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncLit:
			p.parameters(pkg, file, node.Type, taken)
			return false
		case *ast.Ident:
			p.declared(pkg, "", node.Name, taken)
			if variables {
				for _, value := range assigned(file, node.Name) {
					p.argument(pkg, file, value, taken, false)
				}
			}
		case *ast.SelectorExpr:
			p.selected(pkg, file, node, taken)
			return false
		}
		return true
	})
}

// selected adds the types that a function of another package takes, or a method. Of a method only the name is known, so those of that name
// count which this package and the ones that it imports have.
func (p *payloads) selected(pkg goPackage, file *ast.File, selector *ast.SelectorExpr, taken map[string]bool) {
	name := selector.Sel.Name
	if from, ok := selector.X.(*ast.Ident); ok {
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			known, found := p.list.packages[imported]
			if err == nil && found && from.Name == importName(file, imported, known.Name) {
				if p.leads(imported) {
					p.declared(known, "", name, taken)
				}
				return
			}
		}
	}
	for _, importPath := range append([]string{pkg.ImportPath}, pkg.Imports...) {
		if known, found := p.list.packages[importPath]; found && p.leads(importPath) {
			p.declared(known, "method", name, taken)
		}
	}
}

// declared adds the types that a function of a package takes, or its methods of that name.
func (p *payloads) declared(pkg goPackage, kind, name string, taken map[string]bool) {
	if pkg.ImportPath == lambdaPackage || pkg.ImportPath == eventsPackage {
		return
	}
	for _, file := range p.files(pkg) {
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Name.Name == name && (function.Recv != nil) == (kind == "method") {
				p.parameters(pkg, file, function.Type, taken)
			}
		}
	}
}

// assigned are the values that a file gives to a variable.
func assigned(file *ast.File, name string) (values []ast.Expr) {
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.AssignStmt:
			for i, left := range node.Lhs {
				if variable, ok := left.(*ast.Ident); ok && variable.Name == name && len(node.Rhs) == len(node.Lhs) {
					values = append(values, node.Rhs[i])
				}
			}
		case *ast.ValueSpec:
			for i, variable := range node.Names {
				if variable.Name == name && i < len(node.Values) {
					values = append(values, node.Values[i])
				}
			}
		}
		return true
	})
	return values
}

// parameters adds the types of HTTP requests among those of parameters.
func (p *payloads) parameters(pkg goPackage, file *ast.File, function *ast.FuncType, taken map[string]bool) {
	for _, parameter := range function.Params.List {
		if name := p.eventOf(pkg, file, parameter.Type); name != "" {
			taken[name] = true
		}
	}
}

// eventOf is the type of HTTP requests that a type is, or points to, or is an alias of, "" if it is none.
func (p *payloads) eventOf(pkg goPackage, file *ast.File, expression ast.Expr) string {
	switch expression := expression.(type) {
	case *ast.StarExpr:
		return p.eventOf(pkg, file, expression.X)
	case *ast.SelectorExpr:
		from, ok := expression.X.(*ast.Ident)
		if ok && from.Name == importName(file, eventsPackage, "events") && payloadOf[expression.Sel.Name] != "" {
			return expression.Sel.Name
		}
	case *ast.Ident:
		for _, file := range p.files(pkg) {
			for _, declaration := range file.Decls {
				general, ok := declaration.(*ast.GenDecl)
				if !ok {
					continue
				}
				for _, spec := range general.Specs {
					alias, ok := spec.(*ast.TypeSpec)
					if !ok || alias.Name.Name != expression.Name || !alias.Assign.IsValid() {
						continue
					}
					if _, again := alias.Type.(*ast.Ident); !again {
						return p.eventOf(pkg, file, alias.Type)
					}
				}
			}
		}
	}
	return ""
}

// importName is what a file calls a package, "" if it does not import it.
func importName(file *ast.File, importPath, usual string) string {
	for _, spec := range file.Imports {
		if imported, err := strconv.Unquote(spec.Path.Value); err == nil && imported == importPath {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return usual
		}
	}
	return ""
}

// mentioned adds the types that the source of a package names.
func (p *payloads) mentioned(pkg goPackage, taken map[string]bool) {
	if !slices.Contains(pkg.Imports, eventsPackage) {
		return
	}
	for _, file := range p.files(pkg) {
		events := importName(file, eventsPackage, "events")
		ast.Inspect(file, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if from, ok := selector.X.(*ast.Ident); ok && from.Name == events && payloadOf[selector.Sel.Name] != "" {
				taken[selector.Sel.Name] = true
			}
			return true
		})
	}
}
