// Command line prints one line: the floor of a program in a container.
package main

import "fmt"

func main() { fmt.Println("line: nothing else") }
