#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# MesoCL on Debian 13 (gcc 14, PoCL 6), in a chroot made from a mirror: set-up, build, tests. Needs
# root. The tree is copied as git has it, committed or not; the chroot is kept for the next time.
#
#   tools/debian13.sh             tools/demo.sh, then the whole of tools/test.sh
#   tools/debian13.sh --quick     build, selftest, and the tests labelled unit and ops
#
# MESO_DEBIAN13 names the folder of the chroot, by default /var/tmp/mesocl-debian13. Ends with 77
# where there is no root or no mirror, else with the code of what failed.
set -eu
cd "$(dirname "$0")/.."
root=${MESO_DEBIAN13:-/var/tmp/mesocl-debian13}

absent() {
    echo "Debian 13 was not had: $1"
    exit 77
}

case "${1-}" in
'') steps='tools/demo.sh && tools/test.sh' ;;
--quick)
    # shellcheck disable=SC2016  # $(nproc) is the chroot's
    steps='tools/setup.sh --tests && cmake --preset dev --log-level=WARNING &&
        cmake --build --preset dev -- --quiet && build-dev/bin/mesocl selftest &&
        rm -rf build-dev/pocl-cache && mkdir build-dev/pocl-cache &&
        ctest --preset dev --label-regex "^(unit|ops)\$" --parallel "$(nproc)"'
    ;;
*)
    echo "usage: tools/debian13.sh [--quick]" >&2
    exit 2
    ;;
esac

[ "$(id -u)" = 0 ] || absent "it needs root"
if [ ! -e "$root/ready" ]; then
    command -v debootstrap >/dev/null || {
        apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
            --no-install-recommends debootstrap >/dev/null
    } || absent "debootstrap cannot be installed"
    rm -rf --one-file-system "$root"
    debootstrap --variant=minbase --include=ca-certificates trixie "$root" >"$root.log" 2>&1 ||
        absent "debootstrap failed, see $root.log"
    touch "$root/ready"
fi

# PoCL wants /sys, programs want /proc; both go with this script.
unmount() {
    umount -l "$root/proc" "$root/sys" "$root/dev" 2>/dev/null || true
}
trap unmount EXIT
unmount
for folder in proc sys dev; do
    mount --rbind "/$folder" "$root/$folder" || absent "$folder cannot be mounted here"
done

# As the checkout stands; what was built last time stays, so that only changes are compiled.
mkdir -p "$root/mesocl"
find "$root/mesocl" -mindepth 1 -maxdepth 1 ! -name 'build*' -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - |
    tar -C "$root/mesocl" -xf -
chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    CI="${CI-}" sh -c "cd /mesocl && $steps"
