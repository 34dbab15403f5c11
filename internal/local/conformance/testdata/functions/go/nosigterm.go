//go:build !sigterm

package main

import "log"

func startWithSIGTERM(any, func()) {
	log.Fatal("this version of aws-lambda-go has no WithEnableSIGTERM")
}
