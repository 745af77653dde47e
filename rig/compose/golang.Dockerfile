# The stand-in of the image golang: the toolchain of this machine.
FROM millrace-standin/base
ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin GOTOOLCHAIN=local
COPY . /usr/local/go
LABEL millrace.standin=golang
WORKDIR /go
