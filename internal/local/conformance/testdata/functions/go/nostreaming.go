//go:build !streaming

package main

import "errors"

func stream() error { return errors.New("this version of aws-lambda-go has no streaming responses") }
