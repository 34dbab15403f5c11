package generator

// RenderFrom renders templates other than golam's.
var RenderFrom = render
