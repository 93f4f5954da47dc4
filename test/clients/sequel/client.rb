# Sequel. usage: client.rb setup | work WORKER SINGLE BULK
require 'sequel'

DB = Sequel.connect(adapter: 'postgres', host: ENV['PGHOST'], port: ENV['PGPORT'], database: ENV['PGDATABASE'],
                    user: ENV['PGUSER'], max_connections: 1)

def setup
  Sequel.extension :migration
  Sequel.migration do
    change do
      create_table :orders do
        Bignum :id, primary_key: true, default: Sequel.function(:snowflake_id)
        Integer :worker, null: false
        Integer :n, null: false
        String :item
      end
    end
  end.apply(DB, :up)
end

def work(worker, single, bulk)
  model = Class.new(Sequel::Model(:orders))
  keys = (0...single).map { |n| model.create(worker: worker, n: n, item: 'one').id }
  rows = (single...single + bulk).map { |n| [worker, n, 'many'] }
  keys += DB[:orders].returning(:id).import(%i[worker n item], rows)
  read = DB[:orders].where(worker: worker).order(:n).select_map(:id)
  raise 'keys read back' unless keys == read && keys == keys.sort
  found = DB[:orders].where(worker: worker) { id >= snowflake_min_id(Sequel::CURRENT_TIMESTAMP - Sequel.cast('1 hour', :interval)) }
  raise 'time range' unless found.count == single + bulk
end

command, *numbers = ARGV
send(command, *numbers.map(&:to_i))
