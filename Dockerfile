# The Action's image: one static binary and the CA certificates, nothing else.
#
#     docker build --build-arg VERSION=$(git describe --tags --always) -t signatus .
#     docker run --rm signatus version

FROM docker.io/library/golang:1.26 AS build
WORKDIR /src
COPY . .
ARG VERSION=devel
# The same flags as `make build`, so that the same source gives the same bytes.
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /signatus ./cmd/signatus

# No shell and no git. No folder for temporary files either: a new file is made
# beside the one that it becomes. What is remembered of trusted roots goes below
# HOME, which is /github/home in a step, and which the runner mounts.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /signatus /signatus
# There is no USER: the runner mounts the workspace, the event and the files for
# outputs as they are, and GitHub has them written by root alone. What is written
# into the workspace is given to the workspace's owner.
# https://docs.github.com/en/actions/reference/workflows-and-actions/dockerfile-support#user
ENTRYPOINT ["/signatus"]
