# idgen: build, install and test with PGXS. `make tap` runs the tests that start their own servers.

PG_CONFIG ?= pg_config
PG_VERSION := $(shell $(PG_CONFIG) --version 2>/dev/null)
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(findstring PostgreSQL,$(PG_VERSION)),)
$(error PG_CONFIG=$(PG_CONFIG) is not there, or is not PostgreSQL's pg_config. Install PostgreSQL with its server \
development files (on Debian: postgresql-server-dev-NN, NN being the version), or say where it is: \
make PG_CONFIG=/path/to/pg_config)
endif
ifeq ($(wildcard $(PGXS)),)
$(error The server development files of $(PG_VERSION) are missing: there is no $(PGXS). Install them (on \
Debian: postgresql-server-dev-$(firstword $(subst ., ,$(word 2,$(PG_VERSION))))), or name another PostgreSQL: \
make PG_CONFIG=/path/to/pg_config)
endif
SERVER_HEADERS := $(shell $(PG_CONFIG) --includedir-server)
ifeq ($(shell sed -n 's/^.define SIZEOF_VOID_P //p' $(SERVER_HEADERS)/pg_config.h),4)
$(error idgen needs a 64-bit platform, and $(PG_CONFIG) is of a 32-bit PostgreSQL)
endif

# The directory of this file; make may be started from elsewhere (make -f, VPATH).
SOURCE := $(or $(VPATH),$(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST)))))
ifneq ($(filter-out . $(CURDIR),$(SOURCE)),)
ifneq ($(wildcard $(SOURCE)/src/pg/module.o),)
$(error $(SOURCE) has been built, and make would take that for this build. Run make clean there first)
endif
endif
sources = $(patsubst $(SOURCE)/%,%,$(sort $(wildcard $(addprefix $(SOURCE)/,$(1)))))

define newline


endef

# One compilation for each room of src/pg: the standard library's headers cost more than the code, and
# a file of a room includes much the same as its neighbours. dev/check sees that every file also
# compiles by itself.
ROOMS = base catalog durable lease stat ticket session sql kinds change compat monitor analyze testing
UNITS = $(ROOMS:%=src/pg/%_room.cpp)

MODULE_big = idgen
OBJS = $(UNITS:.cpp=.o) src/pg/module.o src/core/cycles.o src/core/description.o
EXTENSION = control/idgen control/idgen_tools control/idgen_compat
# With the scripts that update the extensions; DATA_built is the second one's present version.
DATA = $(filter-out $(DATA_built),$(call sources,$(EXTENSION:%=%--*.sql)))

# The second extension, SQL only: its script is made of a file for each topic, in this order.
TOOLS = head capacity cost exhaustion migration_state migration_catalog migration_problems \
	migration_target migration_triggers migration_prepare migration_backfill migration_constrain \
	migration_swap migration_end migration_cheap migration_plan ids guess partition_keys partitions \
	partition_create partition_maintain encoders
DATA_built = control/idgen_tools--1.0.sql
PGFILEDESC = "idgen - unique, time-ordered 64-bit IDs"

# Both test suites use databases that test/databases creates, which also says who may run them.
# Their output goes elsewhere if the tree belongs to somebody else.
RESULTS := $(shell test -w . && echo . || echo $${TMPDIR:-/tmp}/idgen-installcheck-$$(id -un))
# REGRESS_WITHOUT is for whoever preloads idgen: sql/placeholder.sql is about sessions that load it late.
REGRESS = $(filter-out $(REGRESS_WITHOUT),$(patsubst sql/%.sql,%,$(call sources,sql/*.sql)))
REGRESS_OPTS = --use-existing --outputdir=$(RESULTS)
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(call sources,test/isolation/specs/*.spec))
ISOLATION_OPTS = --use-existing --inputdir=$(SOURCE)/test/isolation --outputdir=$(RESULTS)/output_iso
REGRESS_PREP = databases
PROVE_TESTS = test/t/*.pl

# The module uses no exceptions, no run-time type information and no static that needs a guard. So
# it needs no C++ run-time library in the server.
IDGEN_CXXFLAGS = -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics \
	-fvisibility=hidden -fvisibility-inlines-hidden
ifdef WERROR
IDGEN_WARNINGS = -Wall -Wextra -Wshadow -Wno-unused-parameter -Werror
endif

# System headers, so that clang's bitcode step and our warnings leave them alone.
PG_CPPFLAGS = -I$(SOURCE)/src -isystem $(SERVER_HEADERS)
# IDGEN_EXTRA_CXXFLAGS is for packagers: COPT and PROFILE of PGXS reach the C compiler only.
PG_CXXFLAGS = $(IDGEN_CXXFLAGS) -MMD -MP $(IDGEN_WARNINGS) $(IDGEN_EXTRA_CXXFLAGS)

# Drivers of registries, each a module of its own that idgen.so loads when it is named: the kinds whose
# library is here. For each: its sources beside module_KIND.cpp, and how it is compiled and linked.
REGISTRY_KINDS = postgresql zookeeper etcd

LIBPQ_DIR := $(shell $(PG_CONFIG) --includedir)
REGISTRY_postgresql_SOURCES = postgresql postgresql_connect postgresql_link postgresql_scheme postgresql_statements ticket_server
REGISTRY_postgresql_NEEDS = libpq-fe.h (on Debian: libpq-dev)
ifneq ($(wildcard $(LIBPQ_DIR)/libpq-fe.h),)
REGISTRY_postgresql_CPPFLAGS = -isystem $(LIBPQ_DIR)
REGISTRY_postgresql_LIBS = -L$(shell $(PG_CONFIG) --libdir) -lpq
else ifneq ($(shell pkg-config --exists libpq 2>/dev/null && echo yes),)
REGISTRY_postgresql_CPPFLAGS = $(shell pkg-config --cflags libpq)
REGISTRY_postgresql_LIBS = $(shell pkg-config --libs libpq)
endif

# Both keep a tree, whose values are JSON.
TREE_SOURCES = tree tree_operators tree_scheme tree_driver address
JSON_HEADER := $(wildcard $(addsuffix /nlohmann/json.hpp,/usr/include /usr/local/include))

REGISTRY_zookeeper_SOURCES = zookeeper zookeeper_watch $(TREE_SOURCES)
REGISTRY_zookeeper_NEEDS = zookeeper/zookeeper.h or nlohmann/json.hpp (on Debian: libzookeeper-st-dev, nlohmann-json3-dev)
ifneq ($(and $(JSON_HEADER),$(wildcard $(addsuffix /zookeeper/zookeeper.h,/usr/include /usr/local/include))),)
REGISTRY_zookeeper_LIBS = -lzookeeper_st
endif

REGISTRY_etcd_SOURCES = etcd http $(TREE_SOURCES)
REGISTRY_etcd_NEEDS = libcurl or nlohmann/json.hpp (on Debian: libcurl4-openssl-dev, nlohmann-json3-dev)
ifneq ($(and $(JSON_HEADER),$(shell pkg-config --exists libcurl 2>/dev/null && echo yes)),)
REGISTRY_etcd_CPPFLAGS = $(shell pkg-config --cflags libcurl)
REGISTRY_etcd_LIBS = $(shell pkg-config --libs libcurl)
endif

REGISTRIES = $(foreach kind,$(REGISTRY_KINDS),$(if $(REGISTRY_$(kind)_LIBS),$(kind)))
registry_objects = $(patsubst %,src/registry/%.o,module_$(1) $(REGISTRY_$(1)_SOURCES))
REGISTRY_OBJS = $(sort $(foreach kind,$(REGISTRIES),$(call registry_objects,$(kind))))

EXTRA_CLEAN = $(OBJS:.o=.d) $(UNITS) $(REGISTRY_OBJS) $(REGISTRY_OBJS:.o=.d) $(REGISTRY_KINDS:%=idgen_%.so) \
	output_iso tmp_check log

include $(PGXS)

# A directory is newer than its unit after a file was added to it or removed.
$(UNITS): src/pg/%_room.cpp: $(SOURCE)/src/pg/% | $(CURDIR)/src/pg/
	for file in $(notdir $(call sources,src/pg/$*/*.cpp)); do echo "#include \"pg/$*/$$file\""; done >$@

# A room sees only itself and the rooms below it, so an include that goes up does not compile:
# monitor, kinds, change -> sql -> session -> durable, catalog, lease, stat -> base -> the core;
# sql -> ticket -> durable, lease; compat -> session, ticket; analyze -> catalog; testing -> base.
room = $(addprefix -I$(SOURCE)/src/pg/,$(1))
src/pg/base_room.o src/pg/base_room.bc: override CPPFLAGS += $(call room,base)
src/pg/catalog_room.o src/pg/catalog_room.bc: override CPPFLAGS += $(call room,base catalog)
src/pg/durable_room.o src/pg/durable_room.bc: override CPPFLAGS += $(call room,base durable)
src/pg/lease_room.o src/pg/lease_room.bc: override CPPFLAGS += $(call room,base lease)
src/pg/stat_room.o src/pg/stat_room.bc: override CPPFLAGS += $(call room,base stat)
src/pg/session_room.o src/pg/session_room.bc: override CPPFLAGS += $(call room,base catalog durable lease stat session)
src/pg/ticket_room.o src/pg/ticket_room.bc: override CPPFLAGS += $(call room,base durable lease ticket)
src/pg/sql_room.o src/pg/sql_room.bc: override CPPFLAGS += $(call room,base catalog durable lease stat ticket session sql)
src/pg/kinds_room.o src/pg/kinds_room.bc: override CPPFLAGS += $(call room,base catalog durable lease stat ticket session sql kinds)
src/pg/change_room.o src/pg/change_room.bc: override CPPFLAGS += $(call room,base catalog durable lease stat ticket session sql change)
src/pg/compat_room.o src/pg/compat_room.bc: override CPPFLAGS += $(call room,base catalog durable lease stat ticket session compat)
src/pg/analyze_room.o src/pg/analyze_room.bc: override CPPFLAGS += $(call room,base catalog analyze)
src/pg/testing_room.o src/pg/testing_room.bc: override CPPFLAGS += $(call room,base testing)
src/pg/monitor_room.o src/pg/monitor_room.bc src/pg/module.o src/pg/module.bc: override CPPFLAGS += $(call room,$(filter-out analyze,$(ROOMS)))

# Drivers may use the C++ library, with exceptions that stay inside. They export two functions and no
# template of the library. They have no bitcode: no query calls them.
REGISTRY_MODULES = $(REGISTRIES:%=idgen_%$(DLSUFFIX))
$(REGISTRY_OBJS): override CXXFLAGS += -fexceptions
define registry_rules
$$(call registry_objects,$(1)): override CPPFLAGS += $$(REGISTRY_$(1)_CPPFLAGS)
idgen_$(1)$$(DLSUFFIX): $$(call registry_objects,$(1)) $$(SOURCE)/src/registry/exports.map
	$$(CXX) $$(CXXFLAGS) -shared -o $$@ $$(filter %.o,$$^) -Wl,--version-script=$$(SOURCE)/src/registry/exports.map \
	  $$(LDFLAGS) $$(LDFLAGS_SL) $$(REGISTRY_$(1)_LIBS)
endef
$(foreach kind,$(REGISTRIES),$(eval $(call registry_rules,$(kind))))

.PHONY: registries install-registries uninstall-registries
all: registries
registries: $(REGISTRY_MODULES)
	$(foreach kind,$(filter-out $(REGISTRIES),$(REGISTRY_KINDS)),@echo \
	  "idgen_$(kind)$(DLSUFFIX), for registries in $(kind), is left out: there is no $(REGISTRY_$(kind)_NEEDS)"$(newline))
install: install-registries
install-registries: $(REGISTRY_MODULES) installdirs
	$(foreach module,$(REGISTRY_MODULES),$(INSTALL_SHLIB) $(module) '$(DESTDIR)$(pkglibdir)/$(module)'$(newline))
uninstall: uninstall-registries
uninstall-registries:
	rm -f $(REGISTRY_KINDS:%='$(DESTDIR)$(pkglibdir)'/idgen_%$(DLSUFFIX))

control/idgen_tools--1.0.sql: $(TOOLS:%=$(SOURCE)/control/tools/%.sql) | $(CURDIR)/control/
	cat $(TOOLS:%='$(SOURCE)/control/tools/%.sql') >$@

.PHONY: databases
databases:
	@PG_CONFIG='$(PG_CONFIG)' PSQL='$(bindir)/psql' RESULTS='$(RESULTS)' $(SHELL) '$(SOURCE)/test/databases' \
	  $(if $(REGRESS),$(CONTRIB_TESTDB)) $(if $(ISOLATION),$(ISOLATION_TESTDB))

# Tests whose servers crash, restart and fail over, and whose clocks step. They are not part of
# installcheck, because they start servers of their own and need Perl's IPC::Run.
.PHONY: tap
tap:
	$(prove_installcheck)

# PGXS does not pass PG_CXXFLAGS to the bitcode step.
BITCODE_CXXFLAGS += $(IDGEN_CXXFLAGS)

# Outside the source tree the objects' directories must be created. Paths are absolute, because
# VPATH would find the sources' directories.
OBJDIRS = $(addprefix $(CURDIR)/,$(sort $(dir $(OBJS) $(REGISTRY_OBJS) $(DATA_built))))
$(OBJS) $(OBJS:.o=.bc) $(REGISTRY_OBJS): | $(OBJDIRS)
$(OBJDIRS):
	mkdir -p $@

-include $(OBJS:.o=.d) $(REGISTRY_OBJS:.o=.d)
