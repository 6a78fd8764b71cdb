// The Go client that Debian has, in place of ours: aliyungo URL COUNT [WIDTH [IDLE]] prints the CPU
// microseconds of a signed call (HMAC-SHA1, parameters in the query), WIDTH at a time, as ours.lua
// and floor.c do. IDLE connections are kept; Go's own number is 2. SSL_CERT_FILE is the trust for
// https.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"

	"github.com/denverdino/aliyungo/common"
)

// What is called first, so that the pools are filled.
const warm = 300

type regions struct {
	common.Response
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func call(client *common.Client) {
	answer := regions{}
	err := client.Invoke("DescribeRegions", &struct{}{}, &answer)
	if err != nil || answer.RequestId == "" {
		panic(fmt.Sprint("the server answered ", err))
	}
}

// Runs the calls, so many at a time.
func run(client *common.Client, count, width int) {
	var group sync.WaitGroup
	for worker := 0; worker < width; worker++ {
		group.Add(1)
		go func(times int) {
			defer group.Done()
			for i := 0; i < times; i++ {
				call(client)
			}
		}((count + worker) / width)
	}
	group.Wait()
}

// The argument at a position, or what stands for it.
func number(position, otherwise int) int {
	if position >= len(os.Args) {
		return otherwise
	}
	n, err := strconv.Atoi(os.Args[position])
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	count, width := number(2, 0), number(3, 1)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = number(4, 0)
	client := &common.Client{}
	client.Init(os.Args[1], "2021-07-30", "emulator", "emulator-secret")
	client.SetRegionID("cn-shanghai")
	run(client, warm, width)
	start := cpuSeconds()
	run(client, count, width)
	fmt.Printf("%.2f\n", (cpuSeconds()-start)/float64(count)*1e6)
}
